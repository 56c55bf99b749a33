"""Means over targets and their intervals over cases."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from SegAnyPETLib.evaluation.statistics.intervals import MIN_CASES, describe, describe_columns, expanded_tail


def alone(count: int) -> list[str]:
    """As many cases, each with one target."""
    return [f"{n}" for n in range(count)]


def test_describe_leaves_out_what_is_undefined_and_counts_the_rest() -> None:
    described = describe([1.0, math.nan, 2.0, 6.0] + [3.0] * 8, alone(12))
    assert described.mean == 3.0
    assert described.median == 3.0
    assert described.defined == 11
    assert 2.0 <= described.low < 3.0 < described.high <= 5.0
    nothing = describe([math.nan], ["a"])
    assert nothing.defined == 0
    assert math.isnan(nothing.mean)
    assert nothing.to_json() == {"mean": None, "median": None, "ci95": [None, None], "defined": 0}
    assert describe([], []).defined == 0


def test_columns_are_described_each_as_alone() -> None:
    table = np.random.default_rng(0).random((12, 3))
    table[4, 1] = math.nan
    for column, found in zip(table.T, describe_columns(table, alone(12), 5), strict=True):
        assert dataclasses.astuple(found) == pytest.approx(dataclasses.astuple(describe(column, alone(12), 5)))


@pytest.mark.parametrize(("cases", "there"), [(MIN_CASES - 1, False), (MIN_CASES, True)])
def test_there_is_no_interval_from_few_cases_however_many_targets_they_have(cases: int, there: bool) -> None:
    described = describe(np.random.default_rng(0).random(5 * cases), alone(cases) * 5)
    assert math.isfinite(described.low) == math.isfinite(described.high) == there


def test_cases_without_a_value_do_not_count_for_the_interval() -> None:
    values = np.random.default_rng(0).random(MIN_CASES)
    values[0] = math.nan
    assert math.isnan(describe(values, alone(MIN_CASES)).low)


def test_an_interval_is_about_as_wide_as_that_of_student() -> None:
    """Ten values of standard deviation 1: Student's half width is 2.262 / sqrt(10)."""
    values = np.array([-1.0, 1.0] * 5) * math.sqrt(9 / 10)
    described = describe(values, alone(10))
    assert (described.high - described.low) / 2 == pytest.approx(2.262 / math.sqrt(10), rel=0.1)
    assert expanded_tail(10) == pytest.approx(0.0086, abs=0.0001)
    assert expanded_tail(10**6) == pytest.approx(0.025, abs=1e-4)


@pytest.mark.parametrize("patients", [10, 20])
def test_the_interval_holds_the_mean_of_patients_whose_lesions_are_alike(patients: int) -> None:
    """Patients with 1 to 8 lesions, deviations 0.12 between patients and 0.08 within them."""
    random = np.random.default_rng(1)
    covered = []
    for seed in range(400):
        of_patient = np.repeat(np.arange(patients), random.integers(1, 9, size=patients))
        dice = 0.7 + random.normal(0, 0.12, patients)[of_patient] + random.normal(0, 0.08, of_patient.size)
        found = describe(dice, [f"{patient}" for patient in of_patient], seed)
        covered.append(found.low <= 0.7 <= found.high)
    assert 0.88 <= np.mean(covered) <= 0.98


def test_equal_seeds_give_equal_intervals() -> None:
    values = np.random.default_rng(1).random(30)
    assert describe(values, alone(30), 3) == describe(values, alone(30), 3)
    assert describe(values, alone(30), 3).low != describe(values, alone(30), 4).low
