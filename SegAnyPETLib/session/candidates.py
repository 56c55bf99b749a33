"""The masks that a first click may mean, from the core to the conglomerate, and the way from one size to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from SegAnyPETLib.backend.protocol import Prediction
from SegAnyPETLib.volume.window import Window

#: Voxel sizes in mm of the windows in which the sizes that a first click may mean are sought.
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

    Returns:
        None if no candidate has a voxel.
    """
    some = [c for c in candidates if c.volume_mm3]
    if not some:
        return None
    best = max(some, key=lambda c: c.quality)
    smaller, larger = steps_from(best.volume_mm3, some)
    return Ladder((*smaller, best, *larger), len(smaller))


def steps_from(
    volume_mm3: float, candidates: Sequence[Candidate]
) -> tuple[tuple[Candidate, ...], tuple[Candidate, ...]]:
    """Return the candidates that steps from a mask lead to: the smaller and the larger ones, each in ascending order.

    Each next step is the candidate of highest quality among those at least one `SIZE_STEP` away.

    Args:
        volume_mm3: volume of the mask.
        candidates: other masks; those without a voxel are left out.
    """
    some = [c for c in candidates if c.volume_mm3]
    smaller = _steps(volume_mm3, some, lambda volume, last: volume <= SIZE_STEP * last)
    larger = _steps(volume_mm3, some, lambda volume, last: volume * SIZE_STEP >= last)
    return tuple(reversed(smaller)), tuple(larger)


def _steps(
    volume_mm3: float, candidates: Sequence[Candidate], beyond: Callable[[float, float], bool]
) -> list[Candidate]:
    """Return the candidates that steps in one direction lead to, in the order of the steps."""
    steps: list[Candidate] = []
    last = volume_mm3
    while further := [c for c in candidates if beyond(c.volume_mm3, last)]:
        steps.append(max(further, key=lambda c: c.quality))
        last = steps[-1].volume_mm3
    return steps
