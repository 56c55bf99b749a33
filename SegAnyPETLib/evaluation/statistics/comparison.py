"""The first click of a model beside the threshold methods, on the same targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from SegAnyPETLib.evaluation.results import Evaluation, MethodResult, finite
from SegAnyPETLib.evaluation.statistics.intervals import MIN_CASES, Statistics, describe
from SegAnyPETLib.evaluation.statistics.strata import ALL, STRATA, Stratum


@dataclass(frozen=True)
class Comparison:
    """Dice after the first click of a model minus that of a method, target by target.

    Attributes:
        stratum: the targets.
        method: what the model is compared with.
        targets: number of targets.
        cases: that they are from.
        model_dice: mean of the model.
        method_dice: mean of the method.
        difference: statistics of the differences; the interval is that of a bootstrap over cases.
        p_value: of Wilcoxon's signed-rank test on the mean difference of each case, two-sided and not corrected for
            the number of comparisons; NaN below `intervals.MIN_CASES` cases or if all are equal.
    """

    stratum: Stratum
    method: str
    targets: int
    cases: int
    model_dice: float
    method_dice: float
    difference: Statistics
    p_value: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values; what is undefined is None."""
        return {
            "stratum": self.stratum.name,
            "method": self.method,
            "targets": self.targets,
            "cases": self.cases,
            "model_dice": finite(self.model_dice),
            "method_dice": finite(self.method_dice),
            "difference": self.difference.to_json(),
            "wilcoxon_p": finite(self.p_value),
        }


def comparisons(evaluation: Evaluation) -> tuple[Comparison, ...]:
    """Compare with each threshold method, on all targets and in each stratum that has one."""
    found = []
    methods = dict(evaluation.baselines())
    targets = evaluation.targets
    for stratum in (ALL, *STRATA):
        held = [n for n, target in enumerate(targets) if stratum.holds(target.target)]
        for name, rows in methods.items():
            if held:
                pairs = [(targets[n], rows[n]) for n in held]
                found.append(_compared(stratum, name, pairs, evaluation.seed))
    return tuple(found)


def best_methods(compared: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Return, for each stratum, the comparison with the method of highest mean Dice."""
    best: dict[str, Comparison] = {}
    for one in compared:
        if one.stratum.name not in best or one.method_dice > best[one.stratum.name].method_dice:
            best[one.stratum.name] = one
    return tuple(best.values())


def _compared(
    stratum: Stratum, method: str, pairs: Sequence[tuple[MethodResult, MethodResult]], seed: int
) -> Comparison:
    cases = [ours.target.case for ours, _ in pairs]
    dice = np.array([[ours.scores[0].dice, other.scores[0].dice] for ours, other in pairs])
    differences = dice[:, 0] - dice[:, 1]
    means = dice.mean(axis=0)
    of_case = np.array([differences[np.array(cases) == case].mean() for case in dict.fromkeys(cases)])
    difference = describe(differences, cases, seed)
    p_value = wilcoxon(of_case)
    return Comparison(stratum, method, len(pairs), len(of_case), float(means[0]), float(means[1]), difference, p_value)


def wilcoxon(differences: NDArray) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test; NaN for fewer than `MIN_CASES`, or if all are 0."""
    if differences.size < MIN_CASES or not differences.any():
        return math.nan
    return float(stats.wilcoxon(differences).pvalue)
