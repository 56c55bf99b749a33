"""What a session asks of a model, and what it answers, wherever the model runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from SegAnyPETLib.models.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class WindowImage:
    """The voxels of a window; the same for every click and every target in it.

    Attributes:
        array_kji: (size, size, size) float32, SUV.
        spacing_mm: voxel size of the window.
    """

    array_kji: NDArray[np.float32]
    spacing_mm: float

    @cached_property
    def sha256(self) -> str:
        """Of voxels and spacing; what is made of a window is kept under it."""
        digest = hashlib.sha256(np.float64(self.spacing_mm).tobytes())
        digest.update(np.ascontiguousarray(self.array_kji).data)
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class TargetPrompts:
    """What is known of one target in a window.

    Attributes:
        points_kji: (N, 3) float32, window indices; they may lie outside the window.
        positive: (N,) bool.
        mask_kji: (size, size, size) float32 occupancy of the mask so far, or None.
        memory: that of the last `Prediction` in this window, while its mask is unedited; it counts before the mask.
    """

    points_kji: NDArray[np.float32]
    positive: NDArray[np.bool_]
    mask_kji: NDArray[np.float32] | None = None
    memory: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Prediction:
    """A model's answer for one target.

    Attributes:
        logits_kji: (size, size, size) float32 on the window's grid; above 0 is foreground.
        quality: the Dice that the model expects of its own mask, 0 to 1.
        memory: what the model wants to see again at the next click in this window; None where that is the mask.
    """

    logits_kji: NDArray[np.float32]
    quality: float
    memory: NDArray[np.float32] | None = None


class Backend(Protocol):
    """Runs a model."""

    @property
    def spec(self) -> ModelSpec:
        """What a client must know of the model."""
        ...

    @property
    def device(self) -> str:
        """Where the model runs and in which precision, such as "cpu, bf16"."""
        ...

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        """Segment targets in a window, each on its own.

        Raises:
            SegAnyPETError: the model failed.
        """
        ...
