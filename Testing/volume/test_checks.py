"""Volumes that cannot be segmented honestly are refused."""

import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.io import check_image, check_mask, check_same_grid
from SegAnyPETLib.volume.volume import Volume
from Testing.volume.files import OBLIQUE, counting


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_image_with_a_value_that_is_not_finite_is_refused(value):
    array = counting()
    array[1, 2, 3] = value
    with pytest.raises(InputError, match="not numbers"):
        check_image(Volume(array, np.eye(4)))


def test_image_of_zeros_is_refused():
    with pytest.raises(InputError, match="zero everywhere"):
        check_image(Volume(np.zeros((2, 2, 2), np.float32), np.eye(4)))


def test_image_without_a_value_above_zero_is_refused():
    with pytest.raises(InputError, match="no value above zero"):
        check_image(Volume(-counting(), OBLIQUE))


@pytest.mark.parametrize("side_mm", [0.004, 4000.0])
def test_voxels_in_another_unit_than_millimetres_are_refused(side_mm):
    with pytest.raises(InputError, match="correct its voxel size"):
        check_image(Volume(counting(), np.diag([4.0, 4.0, side_mm, 1.0])))


def test_image_with_one_voxel_above_zero_is_accepted():
    array = np.zeros((2, 2, 2), np.float32)
    array[0, 1, 0] = 1e-6
    check_image(Volume(array, np.eye(4)))


@pytest.mark.parametrize("other", [np.zeros((2, 2, 3), int), np.zeros((2, 2, 2), int)])
def test_labels_on_another_grid_are_refused(other):
    image = Volume(np.ones((2, 2, 2), np.float32), np.eye(4))
    with pytest.raises(InputError, match="label map lies on another grid"):
        check_same_grid(Volume(other, np.diag([1, 1, 1.1, 1])), image)


def test_mask_on_the_grid_with_a_voxel_is_accepted_and_without_one_refused():
    image = Volume(np.ones((2, 2, 2), np.float32), OBLIQUE)
    mask = np.zeros((2, 2, 2), int)
    with pytest.raises(InputError, match="mask has no voxel"):
        check_mask(image.with_array(mask), image)
    mask[1, 1, 1] = 1
    check_mask(image.with_array(mask), image)
