"""Where a target stands. States are never changed: a prompt makes a new one, and undo goes back to an old one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.prompts import MaskPrompt, Point, Prompt
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window


@dataclass(frozen=True, eq=False)
class StepResult:
    """What one prompt led to.

    Attributes:
        mask: of the target, on the volume's grid.
        point: the click, None for a mask prompt.
        window: the model's last look.
        quality: the Dice that the model expects of its mask, 0 to 1.
        seconds: from the prompt to the mask.
        windows: number of windows that the model looked through for the mask; more than one for a target that no
            window holds.
        open: whether the mask still reaches the border of what the model saw, so that more of the target may lie
            beyond; another click there goes on.
    """

    mask: MaskPatch
    point: Point | None
    window: Window
    quality: float
    seconds: float
    windows: int = 1
    open: bool = False


@dataclass(frozen=True, eq=False)
class View:
    """The window that the model looked through last.

    Attributes:
        window: the window.
        previous_logits: what the model takes back with the next click there, None if that is the mask.
        backend: that looked; another one has other windows and memories.
    """

    window: Window
    previous_logits: NDArray[np.float16] | None
    backend: Backend


@dataclass(frozen=True, eq=False)
class State:
    """A target between two prompts.

    Attributes:
        prompts: in their order; of masks only the last one, which replaced everything before it.
        mask: what they led to.
        view: the model's last look, None if its next one depends on prompts and mask only.
        steps: what each of the prompts that the model has answered led to.
        alternatives: the masks that the only click may mean, from the smallest to the largest; none if it has one
            meaning only.
        chosen: index of the one that is the mask.
    """

    prompts: tuple[Prompt, ...] = ()
    mask: MaskPatch = field(default_factory=MaskPatch.empty)
    view: View | None = None
    steps: tuple[StepResult, ...] = ()
    alternatives: tuple[StepResult, ...] = ()
    chosen: int = 0

    @property
    def points(self) -> tuple[Point, ...]:
        """The points among the prompts."""
        return tuple(p for p in self.prompts if isinstance(p, Point))

    def redrawn(self, volume: Volume, mask: MaskPatch) -> State:
        """Return the state after the mask was drawn by hand; the points that it contradicts are dropped."""
        kept = [p for p in self.points if mask.holds(volume.nearest_kji(p.ras)) == p.positive]
        return State((*kept, MaskPrompt(mask)), mask, steps=self.steps)

    def agrees(self, volume: Volume) -> bool:
        """Return whether the mask obeys the points; of several in one voxel the last one counts."""
        last = {volume.nearest_kji(p.ras): p.positive for p in self.points}
        return all(self.mask.holds(index_kji) == positive for index_kji, positive in last.items())
