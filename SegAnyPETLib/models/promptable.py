"""What every promptable model can do, whatever its network."""

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
    """Prompts of one target, as `backend.protocol.TargetPrompts` holds them."""

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
        """Occupancy of the mask so far."""
        ...

    @property
    def previous_logits(self) -> NDArray[np.floating] | None:
        """The logits that the model answered last in this window, while its mask is unedited."""
        ...


@dataclass(frozen=True, eq=False)
class ModelOutput:
    """Of one target.

    Attributes:
        logits_kji: (n, n, n) float32 on the model's own grid; n divides the window's size.
        feeds_back_logits: whether the model wants to see them again with the next click, rather than the mask.
    """

    logits_kji: NDArray[np.float32]
    feeds_back_logits: bool = False


class Promptable(Protocol):
    """A network with its specification, on a device, in a precision."""

    spec: ModelSpec

    def precisions(self, device: torch.device) -> tuple[str, ...]:
        """Those it can run in on a device; the first is its own choice."""
        ...

    def to(self, device: torch.device, precision: str) -> None:
        """Move to a device and a precision, before the first use."""
        ...

    def embed(self, image_kji: Tensor, spacing_mm: float) -> Tensor:
        """What is computed once per window (size, size, size)."""
        ...

    def decode(self, embedding: Tensor, spacing_mm: float, targets: Sequence[Prompts]) -> list[ModelOutput]:
        """What is computed at every click, for several targets of a window at once."""
        ...
