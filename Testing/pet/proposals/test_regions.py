import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from SegAnyPETLib.pet.proposals.regions import Cut, hot_regions


def line(*values: float) -> np.ndarray:
    return np.array([[values]], np.float32)


def where(region) -> list[int]:
    return [i + region.offset_kji[2] for i in np.flatnonzero(region.array_kji)]


def test_voxels_from_the_floor_on_are_hot_and_the_hottest_region_comes_first():
    found = hot_regions(line(1, 4, 5, 1, 1, 9, 3.9, 4), Cut(4.0))
    assert [where(region) for region in found] == [[5], [1, 2], [7]]


def test_maxima_with_a_deep_pass_are_two_regions_and_with_a_shallow_one_are_one():
    values = line(4, 8, 5, 6, 9)
    deep, shallow = hot_regions(values, Cut(4.0), pass_fraction=0.65), hot_regions(values, Cut(4.0), pass_fraction=0.6)
    # The pass of 5 has 0.63 of the lower maximum.
    assert [where(region) for region in deep] == [[3, 4], [0, 1, 2]]
    assert [where(region) for region in shallow] == [[0, 1, 2, 3, 4]]


def test_a_voxel_on_a_pass_belongs_to_the_higher_neighbour():
    assert [where(region) for region in hot_regions(line(9, 5, 4, 6, 8), Cut(4.0))] == [[0, 1], [2, 3, 4]]


def test_regions_touch_by_corners_too():
    values = np.zeros((2, 2, 2), np.float32)
    values[0, 0, 0], values[1, 1, 1] = 5, 6
    (region,) = hot_regions(values, Cut(4.0))
    assert region.voxels == 2


def test_a_plateau_is_one_region():
    values = np.full((3, 4, 5), 6, np.float32)
    values[1, 1:3, 2] = 1
    (region,) = hot_regions(values, Cut(4.0))
    assert region.voxels == 58


def test_a_fraction_of_its_own_maximum_ends_each_region():
    found = hot_regions(line(10, 5, 4, 2, 1, 2, 4, 3, 1), Cut(1.5, fraction=0.41, min_max=4.0))
    assert [where(region) for region in found] == [[0, 1], [5, 6, 7]]


def test_a_region_whose_maximum_is_too_low_is_left_out():
    found = hot_regions(line(3.9, 0, 4, 0), Cut(1.5, min_max=4.0))
    assert [where(region) for region in found] == [[2]]


def test_small_regions_and_voxels_without_a_value_are_left_out():
    found = hot_regions(line(9, 0, 5, 5, 0, np.nan, np.inf, np.inf), Cut(4.0), min_voxels=2)
    assert [where(region) for region in found] == [[2, 3]]


def test_nothing_hot_gives_nothing():
    assert hot_regions(line(1, 2, 3), Cut(4.0)) == []
    assert hot_regions(line(1, 2, 3), Cut(2.0, min_max=4.0)) == []


@given(arrays.arrays(np.float32, (4, 5, 6), elements=st.integers(0, 9).map(float)), st.sampled_from([0.5, 0.7, 0.9]))
def test_regions_tile_the_hot_voxels_and_each_holds_a_single_high_maximum(values, pass_fraction: float):
    found = hot_regions(values, Cut(3.0), pass_fraction=pass_fraction)
    counts = sum((region.to_array(values.shape).astype(int) for region in found), np.zeros(values.shape, int))
    assert np.array_equal(counts, (values >= 3).astype(int))
    for region in found:
        mask = region.to_array(values.shape)
        highest = values[mask].max()
        # Whatever is at least as high as the pass allows hangs together over the region or over others.
        labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
        assert count == 1
        assert labels[values == highest].any()


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_turning_the_grid_turns_the_regions(axes):
    values = ndimage.gaussian_filter(np.random.default_rng(3).normal(0, 20, (12, 14, 16)), 1.2).astype(np.float32)
    found = hot_regions(values, Cut(1.0))
    turned = hot_regions(values.transpose(axes), Cut(1.0))
    assert len(found) > 3
    for one, other in zip(found, turned, strict=True):
        assert np.array_equal(one.to_array(values.shape).transpose(axes), other.to_array(turned_shape(values, axes)))


def turned_shape(values, axes) -> tuple[int, ...]:
    return tuple(values.shape[axis] for axis in axes)
