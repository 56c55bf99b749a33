"""The mixed model against R, and effects that are put in."""

import math

import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.analysis.model import design, fit
from SegAnyPETLib.study.analysis.other_effects import other_effects
from SegAnyPETLib.study.analysis.rows import TimeRow
from Testing.study.simulated import simulated
from Testing.study.studies import cases, crossover

#: Effort to rise from four types of stool, nine subjects: data set ergoStool of R's nlme (Pinheiro & Bates 2000, 1.2).
ERGO_STOOL = [
    (12, 15, 12, 10),
    (10, 14, 13, 12),
    (7, 14, 13, 9),
    (7, 11, 10, 9),
    (8, 11, 8, 7),
    (9, 11, 11, 10),
    (8, 12, 12, 11),
    (7, 11, 8, 7),
    (9, 13, 10, 8),
]


def stools() -> list[TimeRow]:
    return [
        TimeRow("R1", f"s{s}", f"T{t + 1}", 1, 1, "", math.exp(effort))
        for s, row in enumerate(ERGO_STOOL)
        for t, effort in enumerate(row)
    ]


def test_it_equals_lme_of_r() -> None:
    """summary(lme(effort ~ Type, data = ergoStool, random = ~ 1 | Subject)), Pinheiro & Bates 2000, page 14."""
    fitted = fit(stools(), "T1")
    assert fitted.logs == pytest.approx(
        {"level": 8.555556, "arm:T2": 3.888889, "arm:T3": 2.222222, "arm:T4": 0.666667}, abs=1e-4
    )
    assert fitted.errors["level"] == pytest.approx(0.576012, abs=1e-4)
    assert fitted.errors["arm:T2"] == pytest.approx(0.518684, abs=1e-4)
    assert (fitted.case_sd, fitted.residual_sd) == pytest.approx((1.332465, 1.100295), abs=1e-4)
    assert fitted.effects["arm:T2"].df == 24
    assert fitted.effects["arm:T4"].p_value == pytest.approx(0.2110, abs=1e-4)


def test_a_model_is_told_in_words() -> None:
    rows = simulated(crossover(), cases(8), {"R1": 0.3, "R2": 0.3}, seed=0)
    assert fit(rows, "manual").formula == "log(seconds) ~ arm + reader + period + order + (1 | case)"


def test_a_factor_that_follows_from_others_has_no_column() -> None:
    assert list(design(stools(), "T1")) == ["level", "arm:T2", "arm:T3", "arm:T4"]


@pytest.mark.slow
def test_period_order_and_learning_that_are_put_in_come_out() -> None:
    """Forty studies' mean lies within 2 % of each; one study's is wider."""
    found: dict[str, list[float]] = {}
    for seed in range(40):
        rows = simulated(crossover(), cases(24), {"R1": 0.5, "R2": 0.5}, seed, 0.85, 1.2, 0.95)
        for effect in other_effects(rows, "manual"):
            found.setdefault(effect.name.partition(":")[0], []).append(math.log(effect.ratio))
    means = {name: math.exp(np.mean(logs)) for name, logs in found.items()}
    # Orders are compared with the first by name, that with the assisted arm first.
    assert means == pytest.approx({"period": 0.85, "learning": 0.95, "order": 1 / 1.2}, rel=0.03)


def test_one_arm_is_no_comparison() -> None:
    with pytest.raises(InputError, match="two arms and two cases"):
        fit([row for row in stools() if row.arm == "T1"], "T1")


def test_cases_that_do_not_differ_are_no_reason_to_fail() -> None:
    rng = np.random.default_rng(1)
    rows = [
        TimeRow("R1", f"c{n}", arm, 1, 1, "", math.exp(5 + rng.normal(0, 0.1) * (1 if arm == "a" else -1)))
        for n in range(10)
        for arm in ("a", "b")
    ]
    fitted = fit(rows, "a")
    assert fitted.case_sd < 0.08
    assert math.isfinite(fitted.errors["arm:b"])
