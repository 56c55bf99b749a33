import numpy as np
import pytest

from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.settle import POINT_RADIUS_MM, cleared, settle
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

SHAPE = (20, 20, 20)
VOLUME = Volume(np.zeros(SHAPE, np.float32), np.diag([2.0, 2.0, 2.0, 1.0]))


def box(*limits):
    """A mask that is set from (k, j, i) `limits[0]` to `limits[1]`, ends included."""
    mask = np.zeros(SHAPE, dtype=bool)
    for low, high in limits:
        mask[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))] = True
    return mask


def at(index_kji, positive=True):
    return Point(tuple(VOLUME.point_ras(index_kji)), positive)


def settled(before, proposal, *points, seen=None):
    patches = MaskPatch.cropped(before), MaskPatch.cropped(proposal)
    return settle(VOLUME, *patches, points, [seen or Box.whole(SHAPE)]).to_array(SHAPE)


EMPTY = np.zeros(SHAPE, dtype=bool)


def test_the_first_proposal_is_taken_as_it_is():
    proposal = box(((5, 5, 5), (8, 8, 8)))
    assert (settled(EMPTY, proposal, at((6, 6, 6))) == proposal).all()


def test_a_positive_point_that_the_model_ignored_gets_a_ball():
    mask = settled(EMPTY, EMPTY, at((10, 10, 10)))
    assert mask[10, 10, 10]
    assert mask[10, 10, 12]
    assert not mask[10, 10, 13]
    distance = np.linalg.norm((np.argwhere(mask) - 10) * 2.0, axis=1)
    assert distance.max() <= POINT_RADIUS_MM


def test_a_negative_point_that_the_model_ignored_clears_a_ball():
    proposal = box(((5, 5, 5), (15, 15, 15)))
    mask = settled(EMPTY, proposal, at((6, 6, 6)), at((10, 10, 10), positive=False))
    assert not mask[10, 10, 10]
    assert mask[6, 6, 6]
    assert mask[10, 10, 13]


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_points_close_together_each_keeps_its_own_voxel(order):
    points = (at((10, 10, 10)), at((10, 10, 11), positive=False))[::order]
    mask = settled(EMPTY, box(((5, 5, 5), (15, 15, 15))), *points)
    assert mask[10, 10, 10]
    assert not mask[10, 10, 11]


def test_a_point_at_the_volumes_corner_is_kept():
    assert settled(EMPTY, EMPTY, at((0, 0, 0)))[0, 0, 0]
    assert settled(EMPTY, EMPTY, at((19, 19, 19)))[19, 19, 19]


def test_small_parts_without_a_positive_point_are_debris():
    lesion, far, speck = box(((5, 5, 5), (8, 8, 8))), box(((12, 12, 12), (13, 13, 13))), box(((1, 1, 1), (1, 1, 1)))
    mask = settled(EMPTY, lesion | far | speck, at((6, 6, 6)))
    assert (mask == (lesion | far)).all()
    assert settled(EMPTY, lesion | speck, at((6, 6, 6)), at((1, 1, 1)))[1, 1, 1]


def test_a_positive_click_only_adds():
    before, proposal = box(((5, 5, 5), (8, 8, 8))), box(((7, 7, 7), (12, 12, 12)))
    assert (settled(before, proposal, at((6, 6, 6)), at((11, 11, 11))) == (before | proposal)).all()


def test_a_negative_click_only_removes():
    before, proposal = box(((5, 5, 5), (12, 12, 12))), box(((4, 4, 4), (8, 8, 8)))
    mask = settled(before, proposal, at((5, 5, 5)), at((12, 12, 12), positive=False))
    assert not (mask & ~before).any()
    assert not mask[9:13, 9:13, 9:13].any()
    assert mask[5:9, 5:9, 5:9].all()


def test_a_negative_click_does_not_reach_beyond_a_positive_point():
    before, proposal = box(((9, 9, 2), (11, 11, 17))), box(((9, 9, 2), (11, 11, 4)))
    mask = settled(before, proposal, at((10, 10, 3)), at((10, 10, 13), positive=False))
    # From 3 to 13: from 7 on a voxel is at most 1.5 times as far from the click as from the positive point.
    assert mask[10, 10, 2:7].all()
    assert not mask[10, 10, 7:].any()


def test_a_voxel_just_beyond_the_reach_of_a_negative_click_stays():
    before, proposal = box(((9, 9, 0), (11, 11, 19))), box(((9, 9, 0), (11, 11, 2)))
    mask = settled(before, proposal, at((10, 10, 1)), at((10, 10, 19), positive=False))
    # Voxel 8 is 11 from the click and 7 from the positive point, 1.57 times as far; voxel 9 is 1.25 times as far.
    assert mask[10, 10, 8]
    assert not mask[10, 10, 9]


def test_of_two_points_in_one_voxel_the_later_one_counts():
    lesion = box(((5, 5, 5), (15, 15, 15)))
    for last in (True, False):
        points = (at((9, 9, 9)), at((10, 10, 10), positive=not last), at((10, 10, 10), positive=last))
        assert settled(EMPTY, lesion, *points)[10, 10, 10] == last


def test_a_mask_prompt_takes_the_proposal():
    before, proposal = box(((5, 5, 5), (8, 8, 8))), box(((7, 7, 7), (12, 12, 12)))
    assert (settled(before, proposal) == proposal).all()


def test_what_the_model_did_not_see_stays():
    before = box(((5, 5, 5), (8, 8, 8)), ((5, 5, 15), (8, 8, 18)))
    seen = Box((0, 0, 10), (20, 20, 20))
    mask = settled(before, EMPTY, at((6, 6, 6)), at((7, 7, 16), positive=False), seen=seen)
    assert (mask == box(((5, 5, 5), (8, 8, 8)))).all()


def test_after_a_negative_click_the_model_is_not_shown_what_lies_much_nearer_to_it():
    mask = MaskPatch.cropped(box(((5, 5, 2), (5, 5, 15))))
    shown = cleared(VOLUME, mask, (at((5, 5, 2)), at((5, 5, 11), positive=False))).to_array(SHAPE)
    # Between 2 and 11 the share is a half at 8; beyond 11 the distances are (n - 2) and (n - 11).
    assert np.flatnonzero(shown[5, 5]).tolist() == [2, 3, 4, 5, 6, 7]
    assert shown.sum() == 6


def test_without_a_positive_point_the_whole_mask_is_shown():
    mask = MaskPatch.cropped(box(((5, 5, 2), (5, 5, 8))))
    assert cleared(VOLUME, mask, (at((5, 5, 4), positive=False),)) is mask
