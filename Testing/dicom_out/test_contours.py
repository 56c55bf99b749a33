"""Contours that another rasteriser fills to the same mask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.path import Path as Polygon
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.dicom_out.contours import contours_of

RING = np.pad(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool), 1)


def filled(contours: list[NDArray], shape: tuple[int, int]) -> NDArray:
    """By matplotlib, whose rule is that of the sum of windings."""
    rows, columns = np.indices(shape)
    centers_ij = np.stack([columns.ravel(), rows.ravel()], axis=1)
    masks = [Polygon(corners).contains_points(centers_ij).reshape(shape) for corners in contours]
    return np.sum(masks, axis=0) if masks else np.zeros(shape, int)


def filled_by_parity(corners: NDArray, shape: tuple[int, int]) -> NDArray:
    """Voxels from whose centre a ray to the left crosses the contour an odd number of times."""
    rows, columns = np.indices(shape)
    crossings = np.zeros(shape, int)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if x0 == x1:
            crossings += (x0 < columns) & (min(y0, y1) < rows) & (rows < max(y0, y1))
    return crossings % 2 == 1


def area(corners: NDArray) -> float:
    x, y = corners.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_contours_of_any_mask_are_filled_to_the_mask_by_either_rule(mask: NDArray) -> None:
    contours = contours_of(mask)
    assert np.array_equal(filled(contours, mask.shape), mask)
    assert np.array_equal(sum((filled_by_parity(c, mask.shape) for c in contours), np.zeros(mask.shape, int)), mask)


@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_there_is_one_contour_for_each_part_and_its_area_is_that_of_the_voxels(mask: NDArray) -> None:
    contours = contours_of(mask)
    assert len(contours) == ndimage.label(mask)[1]
    assert sum(map(area, contours)) == mask.sum()


def test_a_voxel_has_its_four_corners() -> None:
    (corners,) = contours_of(np.array([[False, True]]))
    assert sorted(corners.tolist()) == [[0.5, -0.5], [0.5, 0.5], [1.5, -0.5], [1.5, 0.5]]


def test_straight_edges_have_no_corners_between() -> None:
    (corners,) = contours_of(np.ones((5, 7), bool))
    assert len(corners) == 4


def test_a_hole_is_reached_by_a_channel_to_its_left() -> None:
    (corners,) = contours_of(RING)
    outer = [[0.5, 0.5], [3.5, 0.5], [3.5, 3.5], [0.5, 3.5]]
    hole = [[1.5, 1.5], [1.5, 2.5], [2.5, 2.5], [2.5, 1.5], [1.5, 1.5]]
    assert corners.tolist() == [*outer, [0.5, 1.5], *hole, [0.5, 1.5]]


def test_an_empty_slice_has_no_contour() -> None:
    assert contours_of(np.zeros((3, 3), bool)) == []


@pytest.mark.parametrize("holes", [((2, 2), (2, 5)), ((2, 2), (5, 2)), ((2, 2), (3, 3)), ((2, 5), (3, 2), (5, 4))])
def test_several_holes_are_cut_into_one_contour(holes: tuple[tuple[int, int], ...]) -> None:
    mask = np.ones((8, 8), bool)
    for hole in holes:
        mask[hole] = False
    contours = contours_of(mask)
    assert len(contours) == 1
    assert np.array_equal(filled(contours, mask.shape), mask)


def test_an_island_in_a_hole_has_a_contour_of_its_own() -> None:
    mask = np.ones((7, 7), bool)
    mask[1:6, 1:6] = False
    mask[3, 3] = True
    contours = contours_of(mask)
    assert len(contours) == 2
    assert np.array_equal(filled(contours, mask.shape), mask)
