"""Non-inferiority against published figures."""

import math

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.analysis.non_inferiority import compare_quality

#: Student's sleep data, R's data set sleep: extra hours of ten patients with two drugs.
FIRST = {f"c{n}": v for n, v in enumerate([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])}
SECOND = {f"c{n}": v for n, v in enumerate([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])}


def test_difference_and_interval_are_those_of_r() -> None:
    """t.test(extra ~ group, paired = TRUE): mean -1.58, 95 % interval -2.4598858 to -0.7001142."""
    found = compare_quality("dice", "b", FIRST, SECOND, 3.0)
    assert (found.difference, found.low, found.high) == pytest.approx((-1.58, -2.4598858, -0.7001142), abs=1e-6)


def test_at_a_margin_that_is_the_interval_s_end_the_one_sided_test_is_at_its_level() -> None:
    found = compare_quality("dice", "b", FIRST, SECOND, 2.4598858)
    assert found.non_inferiority_p == pytest.approx(0.025, abs=1e-6)
    assert found.equivalence_p == pytest.approx(0.025, abs=1e-6)


def test_a_margin_of_zero_gives_the_t_test_of_r() -> None:
    """Two-sided p = 0.002833, so one side has half of it."""
    found = compare_quality("dice", "b", SECOND, FIRST, 1e-12)
    assert found.non_inferiority_p == pytest.approx(0.002833 / 2, abs=5e-7)


def test_a_smaller_distance_is_better() -> None:
    assert compare_quality("hd95_mm", "b", FIRST, SECOND, 0.5).shown
    assert not compare_quality("dice", "b", FIRST, SECOND, 0.5).shown


def test_a_volume_shall_neither_grow_nor_shrink() -> None:
    grown = compare_quality("volume_ml", "b", SECOND, FIRST, 0.5)
    assert math.isnan(grown.non_inferiority_p)
    assert not grown.shown


def test_cases_with_one_arm_are_not_compared() -> None:
    with pytest.raises(InputError, match="2 cases have dice in both arms"):
        compare_quality("dice", "b", {"c0": 1.0, "c1": 1.0, "x": 0.5}, FIRST, 0.03)
