"""Threshold methods: which region a click finds, and that a click next to a hot neighbour does not change that."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.thresholds import (
    METHODS,
    background_around,
    connected_region,
    core_of,
    fixed_threshold,
    gradient_magnitude,
    gradient_watershed,
    hottest_near,
    peak_at,
    relative_threshold,
)
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume

SPACING_IJK = (2.0, 3.0, 4.0)


def image(array: NDArray) -> Volume:
    return Volume(array.astype(np.float32), np.diag([*SPACING_IJK, 1.0]))


def click(volume: Volume, *index_kji: int) -> Point:
    return Point(tuple(volume.point_ras(index_kji)))


def lesion_and_neighbour() -> tuple[Volume, NDArray, NDArray]:
    """A lesion of 10 in a background of 1, and one of 20 that it does not touch."""
    array = np.ones((15, 20, 40))
    lesion, neighbour = np.zeros(array.shape, bool), np.zeros(array.shape, bool)
    lesion[5:10, 6:12, 5:12] = True
    neighbour[5:10, 6:12, 28:36] = True
    array[lesion], array[neighbour] = 10.0, 20.0
    return image(array), lesion, neighbour


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_finds_the_clicked_lesion_and_leaves_its_neighbour(name: str) -> None:
    volume, lesion, neighbour = lesion_and_neighbour()
    for region, at in ((lesion, (7, 9, 8)), (neighbour, (7, 9, 32))):
        assert np.array_equal(METHODS[name](volume, click(volume, *at)), region)


def test_relative_thresholds_follow_the_local_maximum() -> None:
    array = np.zeros((1, 1, 9))
    array[0, 0] = [0, 4.0, 5.1, 7, 10, 7, 4.2, 3, 0]
    volume = image(array)
    assert relative_threshold(volume, click(volume, 0, 0, 4), 0.41)[0, 0].tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0]
    assert relative_threshold(volume, click(volume, 0, 0, 4), 0.5)[0, 0].tolist() == [0, 0, 1, 1, 1, 1, 0, 0, 0]


def test_a_click_means_the_hottest_voxel_within_seven_millimetres() -> None:
    array = np.ones((1, 1, 20))
    array[0, 0, 3], array[0, 0, 7], array[0, 0, 8] = 5.0, 9.0, 99.0
    volume = image(array)
    assert hottest_near(volume, click(volume, 0, 0, 4)) == (0, 0, 7)  # 6 mm away; 8 mm is too far


def test_regions_are_connected_over_faces_only() -> None:
    array = np.zeros((1, 3, 3))
    array[0, 0, 0] = array[0, 0, 1] = array[0, 1, 2] = 8.0
    volume = image(array)
    expected = np.zeros(array.shape, bool)
    expected[0, 0, :2] = True
    assert np.array_equal(fixed_threshold(volume, click(volume, 0, 0, 0), 4.0), expected)


def test_a_fixed_threshold_takes_the_nearest_uptake_around_a_cold_core() -> None:
    array = np.zeros((1, 1, 30))
    array[0, 0, 4:7] = 3.0
    array[0, 0, 20:23] = 9.0
    volume = image(array)
    found = fixed_threshold(volume, click(volume, 0, 0, 11), 2.5)
    assert np.flatnonzero(found).tolist() == [4, 5, 6]


def test_a_fixed_threshold_that_nothing_near_reaches_gives_an_empty_mask() -> None:
    array = np.zeros((1, 1, 40))
    array[0, 0, 0] = 9.0
    volume = image(array)
    assert not fixed_threshold(volume, click(volume, 0, 0, 16), 4.0).any()  # 32 mm away
    assert fixed_threshold(volume, click(volume, 0, 0, 15), 4.0).any()  # 30 mm away


def test_a_value_at_the_threshold_belongs_to_the_region() -> None:
    array = np.full((1, 1, 3), 2.5)
    array[0, 0, 2] = 2.49
    volume = image(array)
    assert fixed_threshold(volume, click(volume, 0, 0, 0), 2.5)[0, 0].tolist() == [True, True, False]


def test_a50p_takes_the_middle_between_peak_and_background() -> None:
    array = np.full((25, 30, 40), 2.0)
    array[9:16, 10:20, 10:30] = 5.9
    array[10:15, 11:19, 11:29] = 6.1
    array[11:14, 12:18, 12:28] = 10.0
    array[12, 15, 20] = 10.1
    volume = image(array)
    seed = (12, 15, 20)
    assert peak_at(volume, seed) == pytest.approx(10.0, abs=0.02)
    assert background_around(volume, core_of(volume, seed)) == 2.0
    assert np.array_equal(METHODS["A50P"](volume, click(volume, *seed)), array > 6.0)


def test_peak_is_the_mean_of_a_sphere_of_one_millilitre() -> None:
    array = np.zeros((7, 9, 11))
    array[3, 4, 5] = 1.0
    volume = image(array)
    k, j, i = np.indices(array.shape) - np.array([3, 4, 5]).reshape(3, 1, 1, 1)
    inside = (k * 4.0) ** 2 + (j * 3.0) ** 2 + (i * 2.0) ** 2 <= 6.2**2
    assert peak_at(volume, (3, 4, 5)) == pytest.approx(1 / inside.sum())


def test_the_background_of_a_lesion_that_fills_a_small_image_is_its_farthest_part() -> None:
    array = np.ones((3, 3, 6))
    array[:, :, :3] = 10.0
    array[:, :, 5] = 2.0
    volume = image(array)
    assert background_around(volume, core_of(volume, (1, 1, 1))) == 2.0


def test_the_watershed_ends_where_a_blurred_edge_is_steepest() -> None:
    k, j, i = np.indices((31, 41, 61)) - np.array([15, 20, 30]).reshape(3, 1, 1, 1)
    ball = (4.0 * k) ** 2 + (3.0 * j) ** 2 + (2.0 * i) ** 2 <= 20.0**2
    blurred = ndimage.gaussian_filter(np.where(ball, 10.0, 1.0), 3.0 / np.array([4.0, 3.0, 2.0]))
    volume = image(blurred)
    found = gradient_watershed(volume, click(volume, 15, 20, 30))
    assert 2 * (found & ball).sum() / (found.sum() + ball.sum()) > 0.9


def test_the_gradient_is_measured_in_millimetres() -> None:
    sigma_kji = 3.0 / np.array([4.0, 3.0, 2.0])
    ramps_mm = np.indices((15, 15, 15)) * np.array([4.0, 3.0, 2.0]).reshape(3, 1, 1, 1)
    slopes = [gradient_magnitude(ramp.astype(np.float32), sigma_kji)[7, 7, 7] for ramp in ramps_mm]
    assert slopes == pytest.approx([3.0, 3.0, 3.0], rel=1e-3)  # 1 per mm over a sigma of 3 mm


def test_growing_the_box_gives_the_region_of_the_whole_volume() -> None:
    random = np.random.default_rng(3)
    array = ndimage.gaussian_filter(random.normal(size=(20, 90, 150)), 2)
    threshold = float(np.quantile(array, 0.55))
    labels, _ = ndimage.label(array >= threshold)
    largest = int(np.bincount(labels.ravel())[1:].argmax()) + 1
    seed = tuple(int(n) for n in np.argwhere(labels == largest)[0])
    region = connected_region(array, seed, threshold).to_array(array.shape)  # type: ignore[arg-type]
    assert np.array_equal(region, labels == largest)
    assert region[:, :, 100:].any()
    assert region[:, :, :50].any()


@pytest.mark.parametrize("name", list(METHODS))
def test_negative_noise_gives_no_error(name: str) -> None:
    volume = image(np.full((4, 4, 4), -1.0))
    assert METHODS[name](volume, click(volume, 1, 1, 1)).shape == (4, 4, 4)
    assert core_of(volume, (1, 1, 1)).voxels == 64


@pytest.mark.parametrize("name", list(METHODS))
def test_a_click_outside_the_volume_is_refused_by_every_method(name: str) -> None:
    volume = image(np.ones((3, 3, 3)))
    with pytest.raises(InputError, match="outside the volume"):
        METHODS[name](volume, Point((-50.0, 0.0, 0.0)))
