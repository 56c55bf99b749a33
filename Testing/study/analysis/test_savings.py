"""Savings: the truth lies in their intervals as often as they say."""

import math

import pytest
from scipy import stats

from SegAnyPETLib.study.analysis.rows import TimeRow, paired_log_ratios
from SegAnyPETLib.study.analysis.savings import adjusted_p, savings
from SegAnyPETLib.study.plan.plan import Design
from Testing.study.simulated import simulated
from Testing.study.studies import cases, crossover

PUBLISHED = {"R1": 0.8237, "R2": 0.8295}


def test_published_savings_lie_in_their_intervals() -> None:
    found = savings(simulated(crossover(), cases(24), PUBLISHED, seed=3), "manual", "holm", 0)
    for one in found.readers:
        low, high = one.interval
        assert low < PUBLISHED[one.reader] < high
        assert high - low < 0.08
    (overall,) = found.overall
    assert overall.interval[0] < 0.8266 < overall.interval[1]
    assert overall.share == pytest.approx(0.8266, abs=0.02)
    assert overall.share == pytest.approx(1 - overall.effect.ratio)
    assert overall.p_adjusted < 1e-10


def test_model_and_bootstrap_over_cases_agree_in_a_complete_crossover() -> None:
    (overall,) = savings(simulated(crossover(), cases(24), PUBLISHED, seed=1), "manual", "none", 0).overall
    assert overall.paired is not None
    assert overall.paired.cases == 24
    assert overall.effect.ratio == pytest.approx(overall.paired.ratio, rel=0.01)
    assert overall.effect.high - overall.effect.low == pytest.approx(overall.paired.high - overall.paired.low, rel=0.5)


def test_parallel_groups_have_no_pairs() -> None:
    rows = simulated(crossover(design=Design("parallel")), cases(24), PUBLISHED, seed=1)
    (overall,) = savings(rows, "manual", "none", 0).overall
    assert overall.paired is None
    assert overall.interval[0] < 0.83 < overall.interval[1]


def test_wilcoxon_is_that_of_r() -> None:
    """Hollander & Wolfe 1973, page 29: wilcox.test(x, y, paired = TRUE) gives V = 40, p = 0.03906."""
    x = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    y = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    rows = [TimeRow("R1", f"c{n}", arm, 1, 1, "", math.exp(v[n])) for arm, v in (("a", y), ("b", x)) for n in range(9)]
    (overall,) = savings(rows, "a", "none", 0).overall
    assert overall.paired is not None
    assert overall.paired.wilcoxon_p == pytest.approx(0.03906, abs=1e-5)


def test_pairs_are_those_of_readers_who_read_a_case_in_both_arms() -> None:
    rows = [
        TimeRow("R1", "c1", "a", 1, 1, "", 100),
        TimeRow("R1", "c1", "b", 2, 1, "", 50),
        TimeRow("R2", "c1", "b", 2, 1, "", 1),
        TimeRow("R2", "c2", "a", 2, 1, "", 1),
    ]
    assert paired_log_ratios(rows, "a", "b") == {"c1": pytest.approx(math.log(0.5))}


def test_corrections_are_those_of_holm_and_bonferroni() -> None:
    assert adjusted_p([0.01, 0.04], "holm") == pytest.approx([0.02, 0.04])
    assert adjusted_p([0.01, 0.04], "bonferroni") == pytest.approx([0.02, 0.08])
    assert adjusted_p([0.01, 0.04], "none") == [0.01, 0.04]


@pytest.mark.slow
@pytest.mark.parametrize("saving", [0.0, 0.5])
def test_intervals_of_sixty_studies_hold_the_truth(saving: float) -> None:
    """The full 400 are Testing/benchmarks/study_coverage.py; so few studies find gross errors only."""
    held = 0
    for seed in range(60):
        rows = simulated(crossover(), cases(12), {"R1": saving, "R2": saving}, 1000 + seed)
        low, high = savings(rows, "manual", "none", 0).overall[0].interval
        held += low <= saving <= high
    assert held >= stats.binom.ppf(0.001, 60, 0.95)
