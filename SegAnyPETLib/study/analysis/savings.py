"""How much time an arm saves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

from SegAnyPETLib.study.analysis.model import Effect, Fitted, fit
from SegAnyPETLib.study.analysis.rows import TimeRow, paired_log_ratios
from SegAnyPETLib.study.plan.plan import Multiplicity

RESAMPLES = 5000
#: Fewer pairs say nothing about those that were not read, and Wilcoxon's test of them nothing at all.
MIN_PAIRS = 6


@dataclass(frozen=True)
class Paired:
    """The check of a saving by its pairs alone.

    Attributes:
        cases: number of cases that were read in both arms.
        ratio: of geometric means.
        low: lower end of the 95 % interval of a bootstrap over cases (BCa); NaN with fewer than `MIN_PAIRS` cases.
        high: its upper end.
        wilcoxon_p: two-sided p-value of the signed rank test on log ratios; NaN with fewer cases.
    """

    cases: int
    ratio: float
    low: float
    high: float
    wilcoxon_p: float


@dataclass(frozen=True)
class Saving:
    """The time of an arm over that of the reference.

    Attributes:
        reader: code; "" for all.
        arm: code.
        effect: of the mixed model; a saving of 82 % is a ratio of 0.18.
        p_adjusted: the model's p-value, corrected for the comparisons of its kind as the plan says.
        paired: bootstrap and Wilcoxon; None where no case was read in both arms.
    """

    reader: str
    arm: str
    effect: Effect
    p_adjusted: float
    paired: Paired | None

    @property
    def share(self) -> float:
        """Share of the reference arm's time that is saved."""
        return 1 - self.effect.ratio

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return 1 - self.effect.high, 1 - self.effect.low


@dataclass(frozen=True)
class Savings:
    """All comparisons of a study.

    Attributes:
        overall: one per arm.
        readers: one per arm and reader.
        model: behind `overall`.
    """

    overall: tuple[Saving, ...]
    readers: tuple[Saving, ...]
    model: Fitted


def savings(rows: Sequence[TimeRow], reference: str, multiplicity: Multiplicity, seed: int) -> Savings:
    """Compute the savings of every arm, overall and per reader.

    Args:
        rows: the readings.
        reference: the arm that the others are compared with.
        multiplicity: correction, within the comparisons overall and within those per reader.
        seed: of the bootstrap.

    Raises:
        InputError: there are not two arms with two cases.
        SegAnyPETError: the model does not converge.
    """
    arms = sorted({row.arm for row in rows} - {reference})
    model = fit(rows, reference)
    overall = [
        Saving("", arm, model.effects[f"arm:{arm}"], math.nan, _paired(rows, reference, arm, "", seed)) for arm in arms
    ]
    readers = sorted({row.reader for row in rows})
    if len(readers) == 1:
        alone = [replace(one, reader=readers[0]) for one in overall]
        return Savings(_adjusted(overall, multiplicity), _adjusted(alone, multiplicity), model)
    effects = fit(rows, reference, per_reader=True).effects
    each = [
        Saving(reader, arm, effects[name], math.nan, _paired(rows, reference, arm, reader, seed))
        for arm in arms
        for reader in readers
        if (name := f"arm:{arm} reader:{reader}") in effects
    ]
    return Savings(_adjusted(overall, multiplicity), _adjusted(each, multiplicity), model)


def adjusted_p(p_values: Sequence[float], multiplicity: Multiplicity) -> list[float]:
    """Correct p-values for their number."""
    if multiplicity == "none" or not p_values:
        return list(p_values)
    return [float(p) for p in multipletests(p_values, method=multiplicity)[1]]


def _adjusted(found: Sequence[Saving], multiplicity: Multiplicity) -> tuple[Saving, ...]:
    p_values = adjusted_p([one.effect.p_value for one in found], multiplicity)
    return tuple(replace(one, p_adjusted=p) for one, p in zip(found, p_values, strict=True))


def _paired(rows: Sequence[TimeRow], reference: str, arm: str, reader: str, seed: int) -> Paired | None:
    logs = np.array(list(paired_log_ratios(rows, reference, arm, reader).values()))
    if not len(logs):
        return None
    ratio = math.exp(float(logs.mean()))
    if len(logs) < MIN_PAIRS or not np.ptp(logs):
        return Paired(len(logs), ratio, math.nan, math.nan, math.nan)
    rng = np.random.default_rng(seed)
    interval = stats.bootstrap((logs,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=rng).confidence_interval
    p_value = float(stats.wilcoxon(logs).pvalue)
    return Paired(len(logs), ratio, math.exp(float(interval.low)), math.exp(float(interval.high)), p_value)
