"""The masks that a first click may mean, from the core to the conglomerate, and the way from one size to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.window import Window

#: Voxel sizes in mm of the windows that a model with an estimate looks through at a first click.
LOOKS_MM = (2.0, 2.5, 3.0, 4.0, 5.0, 6.5)
#: The next smaller or larger mask has at most this share, or at least its inverse, of a mask's volume.
SIZE_STEP = 0.65


@dataclass(frozen=True, eq=False)
class Candidate:
    """A mask that a click may mean.

    Attributes:
        mask: on the volume's grid.
        window: that the model looked through.
        quality: the Dice that the model expects of it, 0 to 1.
    """

    mask: MaskPatch
    window: Window
    quality: float


@dataclass(frozen=True, eq=False)
class Sizes:
    """Masks of one target in the order of their volume, and which of them is meant.

    Attributes:
        candidates: from the smallest to the largest.
        chosen: index of the one that is meant.
    """

    candidates: tuple[Candidate, ...]
    chosen: int

    @property
    def current(self) -> Candidate:
        """Candidate that is meant."""
        return self.candidates[self.chosen]


def by_size(candidates: Sequence[Candidate]) -> Sizes | None:
    """Choose the candidate of highest quality, and of the others those that are clearly smaller or larger.

    From the chosen one, each next step is the candidate of highest quality among those at least one `SIZE_STEP` away.

    Returns:
        None if no candidate has a voxel.
    """
    some = [c for c in candidates if c.mask.voxels]
    if not some:
        return None
    best = max(some, key=lambda c: c.quality)
    smaller = _steps(best, some, lambda c, last: c.mask.voxels <= SIZE_STEP * last.mask.voxels)
    larger = _steps(best, some, lambda c, last: c.mask.voxels * SIZE_STEP >= last.mask.voxels)
    return Sizes((*reversed(smaller), best, *larger), len(smaller))


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


def overlap(one: MaskPatch, other: MaskPatch) -> float:
    """Return the Dice of two masks with voxels, on the same grid."""
    common = one.box.meet(other.box)
    both = int(np.count_nonzero(one.within(common) & other.within(common)))
    return 2 * both / (one.voxels + other.voxels)
