"""The interface of promptable models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from SegAnyPETLib.models.spec import ModelSpec


class Prompts(Protocol):
    """Prompts for one target, as in `backend.protocol.TargetPrompts`."""

    @property
    def points_kji(self) -> NDArray[np.float32]:
        """(N, 3) window indices."""
        ...

    @property
    def positive(self) -> NDArray[np.bool_]:
        """(N,) bool."""
        ...

    @property
    def mask_kji(self) -> NDArray[np.float32] | None:
        """Occupancy of the mask prompt, (size, size, size), or None."""
        ...

    @property
    def not_target_kji(self) -> NDArray[np.float32] | None:
        """Occupancy of what is known to be something else, (size, size, size), or None."""
        ...

    @property
    def previous_logits(self) -> NDArray[np.floating] | None:
        """Logits of the last prediction in this window, or None if its mask has been edited since."""
        ...


@dataclass(frozen=True, eq=False)
class MaskEstimate:
    """A mask that may be meant, and the Dice that the model expects of it.

    Attributes:
        logits_kji: (n, n, n) float32 on the model's own grid; n divides the window's size.
        quality: expected Dice, 0 to 1.
    """

    logits_kji: NDArray[np.float32]
    quality: float


@dataclass(frozen=True, eq=False)
class ModelOutput:
    """Output for one target.

    Attributes:
        logits_kji: (n, n, n) float32 on the model's own grid; n divides the window's size.
        feeds_back_logits: whether the model takes them as an input of the next click, instead of the mask.
        quality: Dice that the model expects of its mask, 0 to 1; None for a model without such an estimate.
        alternatives: other masks that the prompts may mean.
    """

    logits_kji: NDArray[np.float32]
    feeds_back_logits: bool = False
    quality: float | None = None
    alternatives: tuple[MaskEstimate, ...] = ()


class Promptable(Protocol):
    """A network with its specification, on a device, in a precision."""

    spec: ModelSpec

    def precisions(self, device: torch.device) -> tuple[str, ...]:
        """Return the precisions that it can run in on a device, the preferred one first."""
        ...

    def to(self, device: torch.device, precision: str) -> None:
        """Move to a device and a precision, before the first use."""
        ...

    def embed(self, image_kji: Tensor, spacing_mm: float) -> Tensor:
        """Compute the embedding of a window (size, size, size), once per window."""
        ...

    def decode(self, embedding: Tensor, spacing_mm: float, targets: Sequence[Prompts]) -> list[ModelOutput]:
        """Compute masks at every click, for several targets of a window at once."""
        ...
