"""The masks that a first click may mean, from the core to the conglomerate, and the way from one size to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from SegAnyPETLib.backend.protocol import Prediction
from SegAnyPETLib.volume.window import Window

#: Voxel sizes in mm of the windows that a model with several masks looks through at a first click.
LOOKS_MM = (2.0, 2.5, 3.0, 4.0, 5.0, 6.5)
#: The next smaller or larger mask has at most this share, or at least its inverse, of a mask's volume.
SIZE_STEP = 0.65


@dataclass(frozen=True, eq=False)
class Candidate:
    """One of the masks that a click may mean.

    Attributes:
        prediction: the mask, and the Dice that the model expects of it.
        window: that the model looked through.
    """

    prediction: Prediction
    window: Window

    @classmethod
    def all_of(cls, prediction: Prediction, window: Window) -> tuple[Candidate, ...]:
        """Return the first mask of a prediction and its alternatives."""
        return tuple(cls(one, window) for one in (prediction, *prediction.alternatives))

    @property
    def quality(self) -> float:
        """Dice that the model expects, 0 to 1."""
        return self.prediction.quality

    @cached_property
    def volume_mm3(self) -> float:
        """Volume of the mask in its window."""
        return int(np.count_nonzero(self.prediction.logits_kji > 0)) * self.window.spacing_mm**3


@dataclass(frozen=True, eq=False)
class Ladder:
    """Candidates in the order of their volume, each a clear step from the next, and which of them is meant.

    Attributes:
        candidates: from the smallest to the largest.
        chosen: index of the one that is meant.
    """

    candidates: tuple[Candidate, ...]
    chosen: int


def by_size(candidates: Sequence[Candidate]) -> Ladder | None:
    """Choose the candidate of highest quality, and of the others those that are clearly smaller or larger.

    From the chosen one, each next step is the candidate of highest quality among those at least one `SIZE_STEP` away.

    Returns:
        None if no candidate has a voxel.
    """
    some = [c for c in candidates if c.volume_mm3]
    if not some:
        return None
    best = max(some, key=lambda c: c.quality)
    smaller = _steps(best, some, lambda c, last: c.volume_mm3 <= SIZE_STEP * last.volume_mm3)
    larger = _steps(best, some, lambda c, last: c.volume_mm3 * SIZE_STEP >= last.volume_mm3)
    return Ladder((*reversed(smaller), best, *larger), len(smaller))


def _steps(
    first: Candidate, candidates: Sequence[Candidate], beyond: Callable[[Candidate, Candidate], bool]
) -> list[Candidate]:
    """Return the candidates that steps from the first one lead to, in the order of the steps."""
    steps: list[Candidate] = []
    last = first
    while further := [c for c in candidates if beyond(c, last)]:
        last = max(further, key=lambda c: c.quality)
        steps.append(last)
    return steps
