"""Results as an evaluation gives them, from few numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from SegAnyPETLib.evaluation.metrics import Scores
from SegAnyPETLib.evaluation.results import RelativeErrors, TargetFacts, TargetResult

NO_ERROR = RelativeErrors(0.0, 0.0, 0.0, 0.0, 0.0)


def measured(
    case: str,
    dice: Sequence[float],
    volume_ml: float = 9.0,
    hd95: Sequence[float] | None = None,
    error: RelativeErrors = NO_ERROR,
    touching: bool = False,
    contrast: float = math.nan,
    steps: int | None = None,
) -> TargetResult:
    """A target whose surface Dice and false volumes are as large as its Dice."""
    scores = tuple(Scores(d, d, d, h, d, d) for d, h in zip(dice, hd95 or [1.0] * len(dice), strict=True))
    facts = TargetFacts(case, 1, 0, volume_ml, touching=touching, contrast=contrast)
    return TargetResult(facts, scores, (0.1,) * len(dice), error, measured=steps)
