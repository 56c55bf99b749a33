"""The interface between a session and a model, wherever the model runs.

Images, masks and predictions have the precision in which they are sent, also within one process: so a session gives the
same masks in process, with a worker and with a server, bit for bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.crop import Crop
from SegAnyPETLib.volume.interpolation import refined

if TYPE_CHECKING:
    from SegAnyPETLib.models.spec import ModelSpec

#: Units are 2 to a power between these, so that float32 can represent every voxel in physical units.
MIN_EXPONENT = -120
MAX_EXPONENT = 112
#: Occupancies of a mask prompt are quantised to this number of steps.
OCCUPANCY_STEPS = 255
#: Logit of voxels so far from the mask that a prediction leaves them out.
FAR_LOGIT = -20.0


@dataclass(frozen=True, eq=False)
class WindowImage:
    """The voxels of a window; the same for every click and every target in it.

    Attributes:
        voxels_kji: (size, size, size) float16.
        unit: value of a voxel of 1, a power of two: SUV or any other quantity keeps 11 bits of precision.
        spacing_mm: voxel size of the window.
    """

    voxels_kji: NDArray[np.float16]
    unit: float
    spacing_mm: float

    @classmethod
    def of(cls, array_kji: NDArray[np.float32], spacing_mm: float) -> WindowImage:
        """Round a window's voxels, (size, size, size), to float16.

        Raises:
            InputError: values are not finite, or larger than those of any image.
        """
        largest = float(np.abs(array_kji).max(initial=0.0))
        if not largest < 2.0 ** (MAX_EXPONENT + 15):
            raise InputError("the image holds values that are not finite or absurdly large; convert it again")
        # The largest voxel comes to lie in 16384 to 32768, far from both ends of float16.
        unit = 2.0 ** max(int(np.frexp(largest)[1]) - 15, MIN_EXPONENT) if largest > 0 else 1.0
        return cls((array_kji / np.float32(unit)).astype(np.float16), unit, spacing_mm)

    @property
    def array_kji(self) -> NDArray[np.float32]:
        """(size, size, size) float32, SUV."""
        return self.voxels_kji * np.float32(self.unit)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of voxels, unit and spacing; identifies the window and its embedding."""
        digest = hashlib.sha256(np.array([self.spacing_mm, self.unit], "<f8").tobytes())
        digest.update(np.ascontiguousarray(self.voxels_kji, "<f2").data)
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class TargetPrompts:
    """Prompts for one target in a window.

    Attributes:
        points_kji: (N, 3) float32, window indices; they may lie outside the window.
        positive: (N,) bool.
        mask: mask prompt, its occupancies as uint8 in steps of 1/255 on the window's grid, or None.
        previous_logits: those of the last `Prediction` in this window, if its mask is unedited; they take precedence
            over the mask.
        alternatives: whether other masks that the prompts may mean are wanted beside the first one.
        not_target: bool, what is known to be something else, such as finished neighbours, on the window's grid; None
            if nothing is.
    """

    points_kji: NDArray[np.float32]
    positive: NDArray[np.bool_]
    mask: Crop | None = None
    previous_logits: NDArray[np.float16] | None = None
    alternatives: bool = False
    not_target: Crop | None = None

    @property
    def mask_kji(self) -> NDArray[np.float32] | None:
        """Occupancy of the mask prompt, (size, size, size) float32, or None."""
        return None if self.mask is None else self.mask.filled(0) * np.float32(1 / OCCUPANCY_STEPS)

    @property
    def not_target_kji(self) -> NDArray[np.float32] | None:
        """Occupancy of what is known to be something else, (size, size, size) float32, or None."""
        return None if self.not_target is None else self.not_target.filled(False).astype(np.float32)


def mask_prompt(occupancy_kji: NDArray[np.float32]) -> Crop:
    """Return a mask's occupancy, (size, size, size) float32, as a mask prompt."""
    steps = np.rint(occupancy_kji * OCCUPANCY_STEPS).astype(np.uint8)
    return Crop.around(steps, steps > 0)


@dataclass(frozen=True, eq=False)
class Prediction:
    """A model's output for one target.

    Attributes:
        logits: float16 on the model's own grid, whose side divides the window's; above 0 is foreground. What is too
            far from the foreground to move its border may be left out.
        size: voxels per side of the window.
        quality: Dice that the model expects of its own mask, 0 to 1.
        feeds_back_logits: whether the model takes the logits as an input of the next click in this window, instead of
            the mask.
        alternatives: other masks that the prompts may mean, without alternatives of their own; none if they were not
            asked for, or the model has a single mask.
    """

    logits: Crop
    size: int
    quality: float
    feeds_back_logits: bool = False
    alternatives: tuple[Prediction, ...] = ()

    @classmethod
    def of(
        cls,
        logits_kji: NDArray[np.float32],
        size: int,
        quality: float,
        feeds_back_logits: bool = False,
        alternatives: tuple[Prediction, ...] = (),
    ) -> Prediction:
        """Make a prediction from logits (n, n, n) on the model's own grid; n divides the window's size.

        Raises:
            InputError: logits are NaN, as happens if the values of the window were absurd.
        """
        if np.isnan(logits_kji).any():
            raise InputError("the model has no answer for this window; check the values of the image")
        # Logits that underflow in float16 must keep their sign.
        smallest, largest = np.finfo(np.float16).smallest_subnormal, np.finfo(np.float16).max
        rounded = np.clip(logits_kji, -largest, largest).astype(np.float16)
        rounded[(logits_kji > 0) & (rounded <= 0)] = smallest
        logits = Crop.whole(rounded) if feeds_back_logits else _near(rounded, size)
        return cls(logits, size, quality, feeds_back_logits, alternatives)

    @property
    def logits_kji(self) -> NDArray[np.float32]:
        """(size, size, size) float32 on the window's grid."""
        near, factor = _near(self.logits.filled(FAR_LOGIT), self.size), self.size // self.logits.size
        if not near.array_kji.size:
            return np.full((self.size,) * 3, FAR_LOGIT, np.float32)
        k, j, i = (c * factor for c in near.offset_kji)
        return Crop(self.size, (k, j, i), refined(near.array_kji, factor)).filled(FAR_LOGIT)

    @property
    def previous_logits(self) -> NDArray[np.float16] | None:
        """Logits for the next click in this window; None if the model takes the mask instead."""
        return self.logits.array_kji if self.feeds_back_logits else None


def _near(logits_kji: NDArray[np.float16], size: int) -> Crop:
    """Crop logits to the foreground and the voxels next to it, which decide where between them its border lies.

    On a finer grid the voxel next to the foreground may lie beyond the centre of the next coarse voxel, and so between
    that one and the one after it.
    """
    return Crop.around(logits_kji, logits_kji > 0, margin=1 if len(logits_kji) == size else 2)


class Backend(Protocol):
    """Something that runs a model: in process, in a worker process or on a server."""

    @property
    def spec(self) -> ModelSpec:
        """Specification of the model."""
        ...

    @property
    def device(self) -> str:
        """Device and precision of the model, such as "cpu, bf16"."""
        ...

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        """Segment targets in a window, each on its own.

        Raises:
            Cancelled: `cancel` was called meanwhile.
            SegAnyPETError: the model failed, or the worker or server that runs it cannot be reached.
        """
        ...

    def cancel(self) -> None:
        """Make the `predict` that another thread has begun raise `Cancelled`; does nothing if there is none."""
        ...
