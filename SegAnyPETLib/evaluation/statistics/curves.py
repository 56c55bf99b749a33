"""Numbers of one curve over clicks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

#: A click makes it worse if the Dice falls by more than this.
WORSE_BY = 0.01


def curve_area(values: ArrayLike) -> float:
    """Return the area under a curve over clicks (trapezoid), divided by its width: a constant has its own value.

    Args:
        values: one value after each click; a single one is its own area.
    """
    curve = np.asarray(values, dtype=np.float64)
    return float(np.trapezoid(curve) / (curve.size - 1)) if curve.size > 1 else float(curve[0])


@dataclass(frozen=True)
class Falls:
    """How often and how far a curve falls from one step to the next.

    Attributes:
        steps: steps after the first one, in which it could fall.
        worse: those in which it falls by more than `WORSE_BY`.
        largest: the largest fall; 0 if it never falls.
    """

    steps: int
    worse: int
    largest: float


def falls(values: ArrayLike) -> Falls:
    """Count the falls of a curve.

    Args:
        values: one value after each step that was made; steps from or to an undefined value are not counted.
    """
    changes = np.diff(np.asarray(values, dtype=np.float64))
    known = changes[np.isfinite(changes)]
    return Falls(known.size, int((known < -WORSE_BY).sum()), float(max(0.0, -known.min(initial=0.0))))
