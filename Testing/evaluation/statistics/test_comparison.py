"""A model beside the threshold methods on the same targets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from SegAnyPETLib.evaluation.results import CaseResult, Evaluation
from SegAnyPETLib.evaluation.statistics.comparison import best_methods, comparisons, wilcoxon
from Testing.evaluation.statistics.measured import measured


def evaluation(cases: int, gain: float = 0.1) -> Evaluation:
    """Each case has a large and a small lesion; a model is better than one method by a gain, worse than another."""
    random = np.random.default_rng(0)
    results = []
    for number in range(cases):
        dice, volumes = random.uniform(0.4, 0.6, size=2), (50.0, 0.5)
        ours = tuple(measured(f"{number}", [d, 0.9], v) for d, v in zip(dice, volumes, strict=True))
        weak = tuple(measured(f"{number}", [d - gain], v) for d, v in zip(dice, volumes, strict=True))
        strong = tuple(measured(f"{number}", [d + 0.2], v) for d, v in zip(dice, volumes, strict=True))
        results.append(CaseResult(f"{number}", ours, {"weak": weak, "strong": strong}))
    return Evaluation("m", "ideal", 0, (1, 2), tuple(results))


@pytest.mark.slow
def test_differences_are_paired_and_of_the_first_click() -> None:
    found = comparisons(evaluation(12))
    whole = next(one for one in found if one.method == "weak" and one.stratum.name == "all targets")
    assert (whole.targets, whole.cases) == (24, 12)
    assert whole.difference.mean == pytest.approx(0.1)
    assert (whole.difference.low, whole.difference.high) == pytest.approx((0.1, 0.1))
    assert whole.model_dice - whole.method_dice == pytest.approx(0.1)
    assert whole.p_value < 0.01
    assert {one.stratum.name for one in found} == {"all targets", "< 1 ml", "≥ 20 ml", "touching none"}
    assert whole.to_json()["difference"]["ci95"] == pytest.approx([0.1, 0.1])


def test_the_best_method_of_a_stratum_is_that_of_highest_dice() -> None:
    best = best_methods(comparisons(evaluation(3)))
    assert [one.method for one in best] == ["strong"] * 4
    assert best[0].difference.mean == pytest.approx(-0.2)


def test_few_cases_have_neither_interval_nor_test() -> None:
    one = comparisons(evaluation(9))[0]
    assert math.isnan(one.difference.low)
    assert math.isnan(one.p_value)
    assert one.to_json()["wilcoxon_p"] is None


def test_the_test_is_that_of_wilcoxon_and_undefined_if_all_are_equal() -> None:
    differences = np.array([0.1, -0.05, 0.2, 0.3, 0.15, -0.02, 0.12, 0.4, 0.22, 0.31])
    assert wilcoxon(differences) == stats.wilcoxon(differences).pvalue
    assert math.isnan(wilcoxon(np.zeros(20)))


def test_without_baselines_there_is_nothing_to_compare() -> None:
    assert comparisons(Evaluation("m", "ideal", 0, (1,), (CaseResult("a", (measured("a", [0.5]),)),))) == ()
