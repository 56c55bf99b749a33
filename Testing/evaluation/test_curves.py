"""Curves over clicks: areas, falls, intervals, and which targets count where."""

from __future__ import annotations

import math

import numpy as np
import pytest

from SegAnyPETLib.evaluation.curves import MIN_CASES, Statistics, curve_area, describe, largest_drop, summarise
from SegAnyPETLib.evaluation.metrics import Scores
from SegAnyPETLib.evaluation.results import MethodResult, RelativeErrors

NO_ERROR = RelativeErrors(0.0, 0.0, 0.0, 0.0, 0.0)


def target(
    case: str,
    volume_ml: float,
    dice: list[float],
    hd95: list[float] | None = None,
    error: RelativeErrors = NO_ERROR,
) -> MethodResult:
    scores = tuple(Scores(d, d, d, h, d, d) for d, h in zip(dice, hd95 or [1.0] * len(dice), strict=True))
    return MethodResult(case, 1, 0, volume_ml, scores, (0.1,) * len(dice), error)


def alone(count: int) -> list[str]:
    """As many cases, each with one target."""
    return [f"{n}" for n in range(count)]


def means(curve: tuple[Statistics, ...]) -> list[float]:
    return [step.mean for step in curve]


def test_area_is_the_trapezoid_over_the_width() -> None:
    assert curve_area([0.0, 1.0]) == 0.5
    assert curve_area([0.0, 1.0, 1.0]) == 0.75
    assert curve_area([0.4] * 7) == pytest.approx(0.4)
    assert curve_area([0.3]) == 0.3


def test_largest_drop_looks_at_successive_clicks_only() -> None:
    assert largest_drop([0.5, 0.8, 0.6, 0.7, 0.65]) == pytest.approx(0.2)
    assert largest_drop([0.1, 0.2, 0.3]) == 0.0
    assert largest_drop([0.7]) == 0.0


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


@pytest.mark.parametrize(("cases", "there"), [(MIN_CASES - 1, False), (MIN_CASES, True)])
def test_there_is_no_interval_from_few_cases_however_many_targets_they_have(cases: int, there: bool) -> None:
    described = describe(np.random.default_rng(0).random(5 * cases), alone(cases) * 5)
    assert math.isfinite(described.low) == math.isfinite(described.high) == there


def test_the_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    found = [describe(random.normal(size=40), alone(40), seed) for seed in range(200)]
    covered = np.mean([one.low <= 0.0 <= one.high for one in found])
    assert 0.88 <= covered <= 0.99


def test_the_interval_holds_the_mean_of_patients_whose_lesions_are_alike() -> None:
    """20 patients with 1 to 8 lesions, deviations 0.12 between patients and 0.08 within them."""
    random = np.random.default_rng(1)
    covered = []
    for seed in range(400):
        counts = random.integers(1, 9, size=20)
        of_patient = np.repeat(np.arange(20), counts)
        dice = 0.7 + random.normal(0, 0.12, 20)[of_patient] + random.normal(0, 0.08, of_patient.size)
        found = describe(dice, [f"{patient}" for patient in of_patient], seed)
        covered.append(found.low <= 0.7 <= found.high)
    assert np.mean(covered) >= 0.88


def test_equal_seeds_give_equal_intervals() -> None:
    values = np.random.default_rng(1).random(30)
    assert describe(values, alone(30), 3) == describe(values, alone(30), 3)
    assert describe(values, alone(30), 3).low != describe(values, alone(30), 4).low


def test_small_lesions_are_apart_and_cases_count_once() -> None:
    summary = summarise(
        [
            target("a", 1.0, [0.0, 0.2]),
            target("a", 5.0, [0.4, 0.6]),
            target("b", 50.0, [0.8, 1.0], [math.nan, 1.0]),
        ]
    )
    assert summary.small is not None
    assert summary.large is not None
    assert summary.all is not None
    assert summary.per_case is not None
    assert (summary.small.count, summary.large.count) == (1, 2)
    assert means(summary.small.curves["dice"]) == [0.0, 0.2]
    assert means(summary.all.curves["dice"]) == pytest.approx([0.4, 0.6])
    assert (summary.all.count, summary.all.cases) == (3, 2)
    assert (summary.per_case.count, summary.per_case.cases) == (2, 2)
    assert means(summary.per_case.curves["dice"]) == pytest.approx([0.5, 0.7])
    assert [step.defined for step in summary.all.curves["hd95_mm"]] == [2, 3]
    assert summary.all.areas["dice"].mean == pytest.approx(0.5)


def test_the_share_of_clicks_that_make_it_worse_counts_falls_of_more_than_a_hundredth() -> None:
    found = summarise([target("a", 9.0, [0.5, 0.45, 0.445, 0.6]), target("b", 9.0, [0.5, 0.7, 0.7, 0.4])]).all
    assert found is not None
    assert found.worse_share == pytest.approx(2 / 6)
    assert found.worst_drop == pytest.approx(0.3)
    single = summarise([target("a", 9.0, [0.5])]).all
    assert single is not None
    assert math.isnan(single.worse_share)


def test_a_group_without_targets_is_none() -> None:
    summary = summarise([target("a", 9.0, [0.5])])
    assert summary.small is None
    assert summary.large is not None
    assert summarise([]).to_json() == {"cases": None, "all": None, "small": None, "large": None}


def test_magnitudes_of_relative_errors_are_described() -> None:
    errors = [RelativeErrors(math.nan, 0.0, 0.0, e, 0.0) for e in (-0.5, 0.1, 0.2)]
    found = summarise([target("a", 9.0, [0.5], error=error) for error in errors]).all
    assert found is not None
    assert found.absolute_relative_error["mtv"].median == 0.2
    assert found.absolute_relative_error["mtv"].mean == pytest.approx(0.8 / 3)
    assert found.absolute_relative_error["suv_max"].defined == 0
