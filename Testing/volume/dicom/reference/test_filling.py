"""Voxels whose centres lie in closed contours, against counting by hand and another rasteriser."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path as Polygon
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom.reference.filling import filled
from SegAnyPETLib.volume.volume import Volume
from Testing.volume.dicom.reference.structure_sets import square

SHAPE = (6, 8, 9)
STRAIGHT = Volume(
    np.zeros(SHAPE, np.float32), np.array([[-4.0, 0, 0, 16], [0, -5, 0, 20], [0, 0, 3, -9], [0, 0, 0, 1]])
)


def turned(image: Volume, degrees: float) -> Volume:
    """The image rotated about an oblique axis."""
    axis = np.array([1.0, 2, 3]) / np.sqrt(14)
    cross = np.cross(np.eye(3), axis)
    angle = np.radians(degrees)
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return Volume(image.array_kji, matrix @ image.ijk_to_ras)


def box(k: tuple[int, int], j: tuple[int, int], i: tuple[int, int]) -> NDArray:
    mask = np.zeros(SHAPE, bool)
    mask[slice(*k), slice(*j), slice(*i)] = True
    return mask


def ras(image: Volume, *contours_kji: NDArray) -> list[NDArray]:
    return [image.point_ras(corners) for corners in contours_kji]


@pytest.mark.parametrize("degrees", [0, 25])
def test_a_rectangle_in_each_slice_fills_a_box_however_the_image_lies(degrees: float) -> None:
    image = turned(STRAIGHT, degrees)
    contours = ras(image, *(square((1.6, 5.4), (2.5, 5.5), k) for k in (1, 2, 3)))
    assert np.array_equal(filled(contours, image, "a"), box((1, 4), (3, 6), (2, 6)))


def test_contours_in_one_plane_cut_holes() -> None:
    contours = ras(STRAIGHT, square((0.5, 6.5), (0.5, 6.5), 2), square((2.5, 4.5), (2.5, 4.5), 2))
    assert np.array_equal(filled(contours, STRAIGHT, "a"), box((2, 3), (1, 7), (1, 7)) & ~box((2, 3), (3, 5), (3, 5)))


def test_a_keyhole_cuts_a_hole() -> None:
    outer, hole = square((0.5, 6.5), (0.5, 6.5), 2), square((2.5, 4.5), (2.5, 4.5), 2)
    keyhole = np.concatenate([outer, outer[:1], hole[:1], hole[::-1], outer[:1]])
    assert np.array_equal(
        filled(ras(STRAIGHT, keyhole), STRAIGHT, "a"), box((2, 3), (1, 7), (1, 7)) & ~box((2, 3), (3, 5), (3, 5))
    )


def test_contours_drawn_on_thinner_slices_fill_the_slices_between_their_ends() -> None:
    contours = ras(STRAIGHT, *(square((1.5, 4.5), (1.5, 4.5), k) for k in np.arange(1.1, 3.6, 0.3)))
    assert np.array_equal(filled(contours, STRAIGHT, "a"), box((1, 4), (2, 5), (2, 5)))


def test_contours_drawn_on_thicker_slices_fill_what_is_nearest_to_them() -> None:
    contours = ras(STRAIGHT, square((1.5, 4.5), (1.5, 4.5), 1.2), square((1.5, 4.5), (1.5, 5.5), 3.4))
    assert np.array_equal(filled(contours, STRAIGHT, "a"), box((1, 3), (2, 5), (2, 5)) | box((3, 5), (2, 6), (2, 5)))


def test_a_gap_between_contours_stays_empty() -> None:
    contours = ras(STRAIGHT, *(square((1.5, 4.5), (1.5, 4.5), k) for k in (0, 1, 4, 5)))
    assert filled(contours, STRAIGHT, "a").any(axis=(1, 2)).tolist() == [True, True, False, False, True, True]


def test_contours_across_the_slices_fill_the_same_voxels_as_contours_in_them() -> None:
    """Contours in planes of constant i of a box."""
    corners = square((1.5, 4.5), (0.5, 3.5), 0)
    contours = ras(STRAIGHT, *(np.stack([corners[:, 2], corners[:, 1], np.full(4, i)], axis=1) for i in (3, 4, 5)))
    assert np.array_equal(filled(contours, STRAIGHT, "a"), box((2, 5), (1, 4), (3, 6)))


def test_planes_at_an_angle_to_the_slices_fill_what_lies_between_them() -> None:
    image = turned(STRAIGHT, 30)
    contours = ras(STRAIGHT, *(square((2.5, 5.5), (2.5, 5.5), k) for k in (1, 2, 3)))
    centres = STRAIGHT.index_kji(image.point_ras(np.argwhere(np.ones(SHAPE, bool))))
    inside = ((centres > (0.5, 2.5, 2.5)) & (centres < (3.5, 5.5, 5.5))).all(axis=1).reshape(SHAPE)
    assert inside.sum() > 10
    assert np.array_equal(filled(contours, image, "a"), inside)


def test_centres_on_a_contour_count_on_one_side_only() -> None:
    left, right = square((1, 3), (1, 4), 2), square((3, 6), (1, 4), 2)
    both = filled(ras(STRAIGHT, left), STRAIGHT, "a").astype(int) + filled(ras(STRAIGHT, right), STRAIGHT, "a")
    assert both.max() == 1
    assert both.sum() == 5 * 3


@given(st.lists(st.tuples(st.floats(0.1, 7.9), st.floats(0.1, 6.9)), min_size=3, max_size=8, unique=True))
def test_any_polygon_is_filled_as_matplotlib_fills_it_by_parity(corners: list[tuple[float, float]]) -> None:
    """Star-shaped about their middle, so that both rules of winding agree."""
    middle = np.mean(corners, axis=0)
    polygon = np.array(sorted(corners, key=lambda c: float(np.arctan2(*(np.array(c) - middle)))))
    contour = np.column_stack([np.full(len(polygon), 2.0), polygon[:, 1], polygon[:, 0]])
    found = filled(ras(STRAIGHT, contour), STRAIGHT, "a")[2]
    rows, columns = np.indices(SHAPE[1:])
    centres = np.stack([columns.ravel(), rows.ravel()], axis=1)
    certain = np.array([_distance(centre, polygon) > 1e-3 for centre in centres]).reshape(found.shape)
    expected = Polygon(polygon).contains_points(centres).reshape(found.shape)
    assert np.array_equal(found & certain, expected & certain)


def _distance(point: NDArray, polygon: NDArray) -> float:
    starts, ends = polygon, np.roll(polygon, -1, axis=0)
    along = np.clip(
        ((point - starts) * (ends - starts)).sum(1) / np.maximum(((ends - starts) ** 2).sum(1), 1e-12), 0, 1
    )
    return float(np.linalg.norm(point - starts - along[:, None] * (ends - starts), axis=1).min())


def test_contours_that_are_not_flat_are_refused() -> None:
    bent = square((1.5, 4.5), (1.5, 4.5), 2)
    bent[0, 0] += 1
    with pytest.raises(InputError, match="contours of a do not lie in parallel planes"):
        filled(ras(STRAIGHT, bent), STRAIGHT, "a")


def test_contours_beyond_the_image_are_refused() -> None:
    with pytest.raises(InputError, match="contours of a reach beyond the image"):
        filled(ras(STRAIGHT, square((1.5, 11.5), (1.5, 4.5), 2)), STRAIGHT, "a")


def test_a_contour_without_area_holds_nothing() -> None:
    line = np.array([[2.0, 1, 1], [2, 3, 3], [2, 5, 5]])
    assert not filled(ras(STRAIGHT, line), STRAIGHT, "a").any()
