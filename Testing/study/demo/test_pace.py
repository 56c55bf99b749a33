"""How long a robot takes, and how it paints."""

import numpy as np
import pytest

from SegAnyPETLib.evaluation.metrics import dice
from SegAnyPETLib.study.demo.hand import painted
from SegAnyPETLib.study.demo.pace import Pace, Timer, contours_mm
from SegAnyPETLib.volume.volume import Volume


def ball(radius: int) -> np.ndarray:
    k, j, i = np.indices((2 * radius + 8,) * 3) - (radius + 4)
    return k**2 + j**2 + i**2 <= radius**2


def test_a_click_takes_the_operators_of_the_keystroke_level_model() -> None:
    assert Pace().click_s == pytest.approx(1.35 + 1.1 + 0.2)


def test_times_have_their_median_and_grow_with_the_reader_s_factor() -> None:
    timer = Timer(Pace(), 1.3, np.random.default_rng(0))
    drawn = [timer.draw(2.0) for _ in range(4000)]
    assert np.median(drawn) == pytest.approx(2.6, rel=0.03)
    assert np.std(drawn) / np.mean(drawn) == pytest.approx(0.35, abs=0.02)


def test_a_contour_of_a_disc_has_its_circumference_in_every_slice() -> None:
    mask = np.zeros((3, 50, 50), bool)
    j, i = np.indices((50, 50)) - 25
    mask[1] = j**2 + i**2 <= 15**2
    (length_mm,) = contours_mm(mask, np.array([3.0, 2.0, 2.0]))
    assert length_mm == pytest.approx(2 * np.pi * 15.5 * 2, rel=0.05)


def test_a_hand_errs_little_and_never_the_same_way_twice() -> None:
    reference = Volume(ball(6), np.diag([3.0, 3.0, 3.0, 1.0]))
    first, second = (painted(reference, 0.8, np.random.default_rng(seed)) for seed in (0, 1))
    assert 0.9 < dice(first, reference.array_kji) < 1
    assert not np.array_equal(first, second)


def test_a_target_of_one_voxel_is_painted() -> None:
    reference = Volume(ball(0), np.diag([3.0, 3.0, 3.0, 1.0]))
    assert painted(reference, 0.8, np.random.default_rng(0)).any()
