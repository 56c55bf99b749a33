import numpy as np
import pytest
from scipy import ndimage

from SegAnyPETLib.pet.depth import deepest_voxel, depths


def test_depth_is_the_distance_to_the_nearest_voxel_outside_in_mm():
    mask = np.ones((3, 3, 5), dtype=bool)
    assert depths(mask, (10.0, 10.0, 1.0))[1, 1].tolist() == [1.0, 2.0, 3.0, 2.0, 1.0]
    assert depths(mask)[1, 1].tolist() == [1.0, 2.0, 2.0, 2.0, 1.0]


def test_what_lies_outside_the_mask_has_no_depth():
    mask = np.zeros((2, 3, 3), dtype=bool)
    mask[0, 1, 1] = True
    assert np.array_equal(depths(mask), mask)


@pytest.mark.parametrize(("spacing", "deepest"), [(None, (1, 1, 1)), ((2.0, 2.0, 1.0), (0, 0, 1))])
def test_the_first_of_equally_deep_voxels_is_the_deepest(spacing, deepest):
    assert deepest_voxel(np.ones((3, 3, 4), dtype=bool), spacing) == deepest


def test_the_spacing_decides_which_voxel_is_deepest():
    mask = np.zeros((3, 3, 12), dtype=bool)
    mask[:, :, :3] = True
    mask[1, :, 4:] = True
    assert deepest_voxel(mask) == (1, 1, 1)
    assert deepest_voxel(mask, (9.0, 3.0, 1.0)) == (1, 1, 7)


def test_depths_are_those_of_a_mask_in_a_larger_array():
    random = np.random.default_rng(3)
    mask = random.random((6, 7, 8)) < 0.8
    spacing = (3.0, 1.5, 2.0)
    whole = np.zeros((10, 11, 12), dtype=bool)
    whole[2:8, 2:9, 2:10] = mask
    expected = ndimage.distance_transform_edt(whole, sampling=spacing)[2:8, 2:9, 2:10]
    assert np.array_equal(depths(mask, spacing), expected)
