"""What else changes the time of a reading: period, order, learning."""

from __future__ import annotations

from collections.abc import Sequence

from SegAnyPETLib.study.analysis.model import Effect, fit
from SegAnyPETLib.study.analysis.rows import TimeRow

#: What a name of an effect begins with, and what is said of it.
MEANING = {
    "period": "a later period against the first",
    "order": (
        "cases of one order of arms against those of the first one; in a crossover of two arms a carry-over shows "
        "here, since it cannot be told from the effect of the order (Jones & Kenward, Design and Analysis of "
        "Cross-Over Trials)"
    ),
    "learning": "each doubling of the number of readings in a period",
}


def other_effects(rows: Sequence[TimeRow], reference: str) -> tuple[Effect, ...]:
    """Estimate period, order (carry-over) and learning together with the arm.

    Args:
        rows: the readings.
        reference: the arm that the others are compared with.

    Raises:
        InputError: there are not two arms with two cases.
        SegAnyPETError: the model does not converge.
    """
    effects = fit(rows, reference, learning=True).effects
    return tuple(effect for name, effect in effects.items() if name.partition(":")[0] in MEANING)
