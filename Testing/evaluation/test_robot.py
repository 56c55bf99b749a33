"""The robot user: which voxel it clicks, with which sign, and how its noise stays in bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.evaluation.robot import HUMAN, JITTER_LIMIT, JUST_OUTSIDE_MM, NOISY, RobotUser
from SegAnyPETLib.pet.depth import deepest_voxels
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume

OBLIQUE = np.array([[0.0, -2.0, 0.0, 10.0], [-1.5, 0.0, 0.0, -20.0], [0.0, 0.0, 3.0, 5.0], [0.0, 0.0, 0.0, 1.0]])

#: Of the noisy robot, to count how often it does what it does by chance.
DRAWS = 2000


def volume_of(mask_kji: NDArray, ijk_to_ras: NDArray = OBLIQUE) -> Volume:
    return Volume(mask_kji, ijk_to_ras)


def clicked(volume: Volume, point: Point | None) -> tuple[int, int, int]:
    assert point is not None
    return volume.nearest_kji(point.ras)


def test_first_click_is_the_deepest_voxel_of_the_target() -> None:
    k, j, i = np.indices((7, 9, 9))
    target = abs(k - 3) + abs(j - 4) + abs(i - 3) <= 3
    volume = volume_of(target)
    point = RobotUser().next_point(volume)
    assert point is not None
    assert point.positive
    assert clicked(volume, point) == (3, 4, 3)
    assert point.ras == pytest.approx(volume.point_ras((3, 4, 3)))


def test_depth_is_measured_in_millimetres() -> None:
    target = np.zeros((5, 20, 20), bool)
    target[0:5, 0, 0:5] = True  # one voxel thin along j: 2 mm
    target[1, 5:10, 10:15] = True  # one voxel thin along k: 3 mm
    volume = volume_of(target)
    k, j, i = clicked(volume, RobotUser().next_point(volume))
    assert k == 1
    assert (j, i) in {(jj, ii) for jj in range(6, 9) for ii in range(11, 14)}


def test_beyond_the_volume_is_outside() -> None:
    target = np.ones((3, 5, 5), bool)
    volume = volume_of(target, np.diag([1.0, 1.0, 1.0, 1.0]))
    k, j, i = clicked(volume, RobotUser().next_point(volume))
    assert k == 1
    assert 1 <= j <= 3
    assert 1 <= i <= 3


def test_later_clicks_go_to_the_larger_error_with_its_sign() -> None:
    target, current = np.zeros((1, 6, 12), bool), np.zeros((1, 6, 12), bool)
    target[0, 0:3, 0:6] = True
    current[0, 0:3, 3:10] = True  # misses 3x3, spills 3x4
    volume = volume_of(target)
    spilled = RobotUser().next_point(volume, current)
    assert spilled is not None
    assert not spilled.positive
    assert clicked(volume, spilled) in {(0, 1, 7), (0, 1, 8)}
    current[0, :, 8:] = False  # spills 3x2 now
    missed = RobotUser().next_point(volume, current)
    assert missed is not None
    assert missed.positive
    assert clicked(volume, missed) == (0, 1, 1)


def test_the_region_is_chosen_by_volume_not_by_depth() -> None:
    target, current = np.zeros((1, 9, 20), bool), np.zeros((1, 9, 20), bool)
    target[0, 0, :] = True  # missed: 20 voxels, one deep
    current[0, 3:7, 3:7] = True  # spilled: 16 voxels, two deep
    point = RobotUser().next_point(volume_of(target), current)
    assert point is not None
    assert point.positive


def test_no_click_when_no_error_is_left() -> None:
    target = np.zeros((3, 3, 3), bool)
    target[1, 1, 1] = True
    assert RobotUser().next_point(volume_of(target), target.copy()) is None
    assert RobotUser("noisy").next_point(volume_of(target), target.copy()) is None


def test_an_empty_result_is_all_missed() -> None:
    target = np.zeros((3, 3, 3), bool)
    target[1, 1, 1] = True
    volume = volume_of(target)
    point = RobotUser().next_point(volume, np.zeros_like(target))
    assert point is not None
    assert point.positive
    assert clicked(volume, point) == (1, 1, 1)


def test_ties_are_broken_by_the_seed() -> None:
    target, current = np.zeros((1, 1, 9), bool), np.zeros((1, 1, 9), bool)
    target[0, 0, [0, 2]] = True
    current[0, 0, [6, 8]] = True
    volume = volume_of(target)
    hits = [clicked(volume, RobotUser(seed=s).next_point(volume, current)) for s in range(40)]
    assert set(hits) == {(0, 0, 0), (0, 0, 2), (0, 0, 6), (0, 0, 8)}
    assert hits == [clicked(volume, RobotUser(seed=s).next_point(volume, current)) for s in range(40)]


@given(arrays(bool, (4, 6, 5)).filter(lambda m: bool(m.any())))
@settings(max_examples=60, deadline=None)
def test_deepest_voxels_are_those_of_the_whole_distance_map(region: NDArray) -> None:
    spacing = np.array([3.0, 2.0, 1.5])
    depth = ndimage.distance_transform_edt(np.pad(region, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    expected = {tuple(i) for i in np.argwhere(np.isclose(depth, depth.max()))}
    assert {tuple(i) for i in deepest_voxels(region, spacing)} == expected


def test_noisy_clicks_vary_stay_near_and_sometimes_err() -> None:
    target = np.zeros((15, 15, 15), bool)
    target[4:11, 4:11, 4:11] = True
    volume = volume_of(target, np.diag([2.0, 2.0, 2.0, 1.0]))
    hits = [clicked(volume, RobotUser("noisy", s).next_point(volume)) for s in range(300)]
    inside = [bool(target[h]) for h in hits]
    assert len(set(hits)) > 50
    assert 0.9 < np.mean(inside) < 1.0
    assert hits == [clicked(volume, RobotUser("noisy", s).next_point(volume)) for s in range(300)]
    farthest_mm = max(np.linalg.norm((np.array(h) - 7) * 2.0) for h in hits)
    corner_mm = np.linalg.norm([6.0, 6.0, 6.0])
    assert farthest_mm <= corner_mm + JITTER_LIMIT * NOISY.slip_mm + 2.0


@pytest.mark.slow
def test_noisy_jitter_leaves_the_middle_by_no_more_than_its_limit() -> None:
    habits = replace(NOISY, slip=0.0, anywhere=0.0)
    target = np.ones((31, 31, 31), bool)
    volume = volume_of(target, np.eye(4))
    hits = np.array([clicked(volume, RobotUser("noisy", s, habits).next_point(volume)) for s in range(200)])
    distances_mm = np.linalg.norm(hits - 15, axis=1)
    assert distances_mm.max() <= JITTER_LIMIT * NOISY.jitter_mm + np.sqrt(3) / 2
    assert distances_mm.mean() > 2.0


def test_noisy_clicks_stay_in_a_region_of_one_voxel_unless_they_slip() -> None:
    habits = replace(NOISY, slip=0.0)
    target = np.zeros((9, 9, 9), bool)
    target[4, 4, 4] = True
    volume = volume_of(target)
    assert {clicked(volume, RobotUser("noisy", s, habits).next_point(volume)) for s in range(50)} == {(4, 4, 4)}


@pytest.mark.slow
def test_the_noisy_robot_turns_to_the_smaller_error_once_in_ten_clicks() -> None:
    target, current = np.zeros((1, 3, 30), bool), np.zeros((1, 3, 30), bool)
    target[0, :, :10] = True
    current[0, :, 20:24] = True
    points = [RobotUser("noisy", s).next_point(volume_of(target), current) for s in range(DRAWS)]
    assert np.mean([point is not None and not point.positive for point in points]) == pytest.approx(0.1, abs=0.02)


@pytest.mark.slow
def test_the_noisy_robot_slips_once_in_twenty_clicks() -> None:
    target = np.zeros((9, 9, 9), bool)
    target[4, 4, 4] = True  # a hand that does not slip stays in this voxel
    volume = volume_of(target, np.diag([2.0, 2.0, 2.0, 1.0]))
    hits = [clicked(volume, RobotUser("noisy", s).next_point(volume)) for s in range(DRAWS)]
    assert np.mean([hit != (4, 4, 4) for hit in hits]) == pytest.approx(0.05, abs=0.015)


@pytest.mark.slow
def test_the_noisy_robot_clicks_anywhere_in_the_region_once_in_five_clicks() -> None:
    habits = replace(NOISY, slip=0.0, jitter_mm=0.0)
    volume = volume_of(np.ones((5, 5, 5), bool), np.eye(4))
    hits = [clicked(volume, RobotUser("noisy", s, habits).next_point(volume)) for s in range(DRAWS)]
    assert np.mean([hit != (2, 2, 2) for hit in hits]) == pytest.approx(0.2, abs=0.03)


@pytest.mark.slow
def test_a_quarter_of_the_first_clicks_of_people_lie_just_outside_the_target() -> None:
    target = np.zeros((15, 15, 15), bool)
    target[5:10, 5:10, 5:10] = True
    volume = volume_of(target, np.diag([2.0, 2.0, 2.0, 1.0]))
    habits = replace(HUMAN, jitter_mm=0.0)
    hits = [clicked(volume, RobotUser("human", s, habits).next_point(volume)) for s in range(DRAWS)]
    outside = np.array([hit for hit in hits if not target[hit]])
    assert len(outside) / DRAWS == pytest.approx(0.25, abs=0.03)
    away_mm = ndimage.distance_transform_edt(~target, sampling=2.0)[tuple(outside.T)]
    assert away_mm.max() <= JUST_OUTSIDE_MM
    assert np.unique(outside, axis=0).shape[0] > 100


def test_a_click_just_outside_lies_beside_the_target_however_large_the_voxels_are() -> None:
    target = np.zeros((5, 5, 5), bool)
    target[2, 2, 2] = True
    volume = volume_of(target, np.diag([9.0, 10.0, 11.0, 1.0]))
    habits = replace(HUMAN, jitter_mm=0.0, first_outside=1.0)
    hits = {clicked(volume, RobotUser("human", s, habits).next_point(volume)) for s in range(40)}
    assert hits == {(2, 2, 1), (2, 2, 3)}  # 9 mm away; the neighbours along j and k are farther


def test_a_target_that_fills_the_volume_is_clicked_inside() -> None:
    volume = volume_of(np.ones((3, 3, 3), bool), np.eye(4))
    habits = replace(HUMAN, jitter_mm=0.0, first_outside=1.0)
    assert clicked(volume, RobotUser("human", 0, habits).next_point(volume)) == (1, 1, 1)


@pytest.mark.slow
def test_people_give_one_later_click_in_twenty_the_wrong_sign_and_never_the_first() -> None:
    target, current = np.zeros((1, 3, 30), bool), np.zeros((1, 3, 30), bool)
    target[0, :, :10] = True
    volume = volume_of(target)
    first = [RobotUser("human", s).next_point(volume, current) for s in range(200)]
    assert all(point is not None and point.positive for point in first)
    current[0, :, :5] = True
    later = [RobotUser("human", s).next_point(volume, current) for s in range(DRAWS)]
    assert np.mean([point is not None and not point.positive for point in later]) == pytest.approx(0.05, abs=0.015)


def test_the_hand_of_people_may_leave_the_region_but_not_the_volume() -> None:
    target = np.zeros((9, 9, 9), bool)
    target[4, 4, 4] = True
    volume = volume_of(target, np.diag([2.0, 2.0, 2.0, 1.0]))
    habits = replace(HUMAN, first_outside=0.0)
    hits = {clicked(volume, RobotUser("human", s, habits).next_point(volume)) for s in range(300)}
    assert len(hits) > 50
    assert max(np.linalg.norm(np.array(hit) - 4) * 2.0 for hit in hits) <= JITTER_LIMIT * HUMAN.jitter_mm + 2.0


def test_an_unknown_kind_and_a_mask_on_another_grid_are_refused() -> None:
    with pytest.raises(InputError, match="choose one of ideal, noisy, human"):
        RobotUser("tired")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="does not fit"):
        RobotUser().next_point(volume_of(np.ones((2, 2, 2), bool)), np.ones((2, 2, 3), bool))
