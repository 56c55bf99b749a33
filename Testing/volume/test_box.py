import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from SegAnyPETLib.volume.box import Box

SHAPE = (3, 4, 5)
#: Boxes reach beyond this grid of voxels from -3 to 7 along each axis; a box is checked by its voxels in it.
INDICES = np.stack(np.meshgrid(*3 * [np.arange(-3, 8)], indexing="ij"), -1)

corners = st.tuples(*3 * [st.integers(-3, 7)])
boxes = st.builds(Box, corners, corners)
sizes = st.tuples(*3 * [st.integers(1, 4)])
filled_boxes = st.builds(
    lambda low, size: Box(low, tuple(np.add(low, size))), st.tuples(*3 * [st.integers(-3, 3)]), sizes
)


def voxels(box: Box) -> np.ndarray:
    """The box on the grid of `INDICES`, voxel by voxel."""
    return box.contains(INDICES)


def test_a_box_begins_at_its_low_corner_and_ends_before_its_high_corner() -> None:
    array = np.zeros(SHAPE, bool)
    box = Box((0, 1, 2), (2, 3, 5))
    array[box.slices] = True
    assert box.shape_kji == (2, 2, 3)
    assert np.argwhere(array).min(0).tolist() == [0, 1, 2]
    assert np.argwhere(array).max(0).tolist() == [1, 2, 4]
    assert box.contains(((0, 1, 2), (1, 2, 4), (2, 2, 4), (0, 0, 2))).tolist() == [True, True, False, False]


@given(boxes)
def test_a_box_given_the_wrong_way_round_is_empty(box: Box) -> None:
    assert box.empty == (not voxels(box).any())
    assert min(box.shape_kji) >= 0
    assert voxels(box).sum() == np.prod(box.shape_kji)


@given(boxes, boxes)
def test_two_boxes_meet_in_their_common_voxels(one: Box, other: Box) -> None:
    assert np.array_equal(voxels(one.meet(other)), voxels(one) & voxels(other))
    assert one.meet(other).empty or one.meet(other) == other.meet(one)


@given(filled_boxes, filled_boxes)
def test_two_boxes_join_in_the_smallest_box_around_both(one: Box, other: Box) -> None:
    both = one.join(other)
    assert both == other.join(one)
    assert both.encloses(one)
    assert both.encloses(other)
    index = INDICES[voxels(one) | voxels(other)]
    assert (both.low_kji, both.high_kji) == (tuple(index.min(0)), tuple(index.max(0) + 1))


@given(boxes, filled_boxes)
def test_a_box_encloses_what_adds_no_voxel(outer: Box, inner: Box) -> None:
    assert outer.encloses(inner) == (not (voxels(inner) & ~voxels(outer)).any())


@given(boxes)
def test_a_clipped_box_is_what_lies_in_the_grid(box: Box) -> None:
    grid = ((INDICES >= 0) & (INDICES < SHAPE)).all(-1)
    assert np.array_equal(voxels(box.clipped(SHAPE)), voxels(box) & grid)
    array = np.zeros(SHAPE, bool)
    array[box.clipped(SHAPE).slices] = True
    assert array.sum() == (voxels(box) & grid).sum()


@given(boxes, corners, sizes)
def test_a_relative_box_has_the_same_voxels_of_the_outer_array(inner: Box, low: tuple, size: tuple) -> None:
    outer = Box(low, tuple(np.add(low, size)))
    part = np.zeros(outer.shape_kji, bool)
    part[inner.meet(outer).relative_to(outer).slices] = True
    axes = [np.arange(a, b) for a, b in zip(low, outer.high_kji, strict=True)]
    whole = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    assert np.array_equal(part, inner.contains(whole))


@given(filled_boxes, st.integers(0, 3))
def test_growing_and_shrinking_a_box_gives_it_back(box: Box, margin: int) -> None:
    grown = box.grown(margin)
    assert np.subtract(grown.shape_kji, box.shape_kji).tolist() == [2 * margin] * 3
    assert grown.grown(-margin) == box


def test_a_margin_may_differ_along_the_axes() -> None:
    assert Box((1, 1, 1), (2, 2, 2)).grown((0, 1, 2)) == Box((1, 0, -1), (2, 3, 4))
    assert Box.around((5, 6, 7), np.array([0, 1, 2])) == Box((5, 5, 5), (6, 8, 10))


@given(arrays(bool, SHAPE))
def test_the_box_of_a_mask_is_the_smallest_that_holds_it(mask_kji: np.ndarray) -> None:
    box = Box.of_mask(mask_kji)
    if box is None:
        assert not mask_kji.any()
    else:
        index = np.argwhere(mask_kji)
        assert (box.low_kji, box.high_kji) == (tuple(index.min(0)), tuple(index.max(0) + 1))


def test_the_whole_of_a_grid() -> None:
    assert Box.whole(SHAPE) == Box((0, 0, 0), SHAPE)
    assert Box.of_mask(np.ones(SHAPE)) == Box.whole(SHAPE)


@pytest.mark.parametrize("low", [(0, 0), (0, 0, 0, 0)])
def test_a_box_has_three_axes(low: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="to unpack"):
        Box(low, (1, 1, 1))
