"""What a session asks of a model, and what it answers, wherever the model runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from SegAnyPETLib.models.spec import ModelSpec


@dataclass(frozen=True)
class Request:
    """One target in one window.

    Attributes:
        image_kji: (size, size, size) float32, SUV.
        spacing_mm: voxel size of the window.
        points_kji: (N, 3) float32, window indices; they may lie outside the window.
        positive: (N,) bool.
        mask_kji: (size, size, size) float32 occupancy of the mask so far, or None.
    """

    image_kji: NDArray[np.float32]
    spacing_mm: float
    points_kji: NDArray[np.float32]
    positive: NDArray[np.bool_]
    mask_kji: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Prediction:
    """A model's answer.

    Attributes:
        logits_kji: (size, size, size) float32 on the window's grid; above 0 is foreground.
        quality: the Dice that the model expects of its own mask, 0 to 1.
    """

    logits_kji: NDArray[np.float32]
    quality: float


class Backend(Protocol):
    """Runs a model."""

    @property
    def spec(self) -> ModelSpec:
        """What a client must know of the model."""
        ...

    def predict(self, request: Request) -> Prediction:
        """Segment a target.

        Raises:
            SegAnyPETError: the model failed.
        """
        ...
