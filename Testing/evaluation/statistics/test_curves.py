"""Numbers of one curve over clicks."""

import math

import pytest

from SegAnyPETLib.evaluation.statistics.curves import Falls, curve_area, falls


def test_area_is_the_trapezoid_over_the_width() -> None:
    assert curve_area([0.0, 1.0]) == 0.5
    assert curve_area([0.0, 1.0, 1.0]) == 0.75
    assert curve_area([0.4] * 7) == pytest.approx(0.4)
    assert curve_area([0.3]) == 0.3


def test_falls_of_more_than_a_hundredth_make_it_worse() -> None:
    found = falls([0.5, 0.8, 0.6, 0.7, 0.695])
    assert (found.steps, found.worse) == (4, 1)
    assert found.largest == pytest.approx(0.2)
    assert falls([0.1, 0.2, 0.3]) == Falls(2, 0, 0.0)
    assert falls([0.7]) == Falls(0, 0, 0.0)


def test_steps_from_or_to_what_is_undefined_are_not_counted() -> None:
    assert falls([math.nan, 0.5, 0.25]) == Falls(1, 1, 0.25)
