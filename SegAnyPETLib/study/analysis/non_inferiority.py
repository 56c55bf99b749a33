"""Whether quality suffers where time is saved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.plan.plan import Quality

#: Quantities that are better when they are smaller, and those that shall stay what they are.
SMALLER_IS_BETTER: tuple[Quality, ...] = ("hd95_mm",)
SHALL_AGREE: tuple[Quality, ...] = ("volume_ml", "suv_max", "suv_mean", "tlg_g")


@dataclass(frozen=True)
class Comparison:
    """A quantity in one arm less the same in the reference arm, over cases.

    Attributes:
        quantity: what is compared; volumes, SUV and TLG by their logarithms.
        arm: code.
        cases: number of cases with both.
        difference: mean.
        low: lower end of the 95 % interval, whose one side is a one-sided bound at 97.5 %.
        high: its upper end.
        margin: of the plan.
        non_inferiority_p: one-sided p-value that the arm is not worse by the margin; NaN for what shall agree.
        equivalence_p: p-value of the two one-sided tests (TOST) that the difference is within the margin either way.
    """

    quantity: Quality
    arm: str
    cases: int
    difference: float
    low: float
    high: float
    margin: float
    non_inferiority_p: float
    equivalence_p: float

    @property
    def shown(self) -> bool:
        """Whether it is shown at one-sided 2.5 % that quality does not suffer."""
        if self.quantity in SHALL_AGREE:
            return self.equivalence_p < 0.025
        return self.non_inferiority_p < 0.025


def compare_quality(
    quantity: Quality, arm: str, values: Mapping[str, float], reference: Mapping[str, float], margin: float
) -> Comparison:
    """Compare a quantity between two arms case by case.

    Args:
        quantity: what it is.
        arm: code of the arm.
        values: by case, in that arm; logarithms for volumes, SUV and TLG.
        reference: by case, in the reference arm.
        margin: the largest difference that does not matter.

    Raises:
        InputError: fewer than three cases have both.
    """
    cases = [c for c in values if c in reference and math.isfinite(values[c]) and math.isfinite(reference[c])]
    if len(cases) < 3:
        raise InputError(f"{len(cases)} cases have {quantity} in both arms, and three are needed; finish more readings")
    ours, theirs = np.array([values[c] for c in cases]), np.array([reference[c] for c in cases])
    low, high = DescrStatsW(ours - theirs).tconfint_mean(alpha=0.05)
    p_value, above, below = ttost_paired(ours, theirs, -margin, margin)
    one_sided = below[1] if quantity in SMALLER_IS_BETTER else above[1]
    return Comparison(
        quantity,
        arm,
        len(cases),
        float(np.mean(ours - theirs)),
        float(low),
        float(high),
        margin,
        math.nan if quantity in SHALL_AGREE else float(one_sided),
        float(p_value),
    )
