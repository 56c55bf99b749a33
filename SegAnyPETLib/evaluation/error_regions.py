"""What a mask misses and what it spills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume


@dataclass(frozen=True, eq=False)
class ErrorRegion:
    """All voxels that are wrong in the same way.

    Attributes:
        missed: whether they belong to the target and are not in the mask, so that a click there is positive; else they
            are spilled, and a click there is negative.
        patch: the voxels, at least one.
    """

    missed: bool
    patch: MaskPatch


def error_regions(reference: Volume, current_kji: NDArray | None) -> list[ErrorRegion]:
    """Return the error regions that have a voxel, the missed one first.

    Args:
        reference: bool volume of the target.
        current_kji: bool array (k, j, i), the current result; None before the first one.

    Raises:
        InputError: the current result is not on the reference's grid.
    """
    target = reference.array_kji
    if current_kji is None:
        current_kji = np.zeros_like(target)
    if current_kji.shape != target.shape:
        raise InputError(f"a mask of shape {current_kji.shape} does not fit the reference {target.shape}")
    pairs = ((True, target, current_kji), (False, current_kji, target))
    found = [ErrorRegion(missed, _difference(mask, other)) for missed, mask, other in pairs]
    return [region for region in found if region.patch.voxels]


def _difference(mask_kji: NDArray, other_kji: NDArray) -> MaskPatch:
    """Crop what a mask has and another one has not."""
    box = Box.of_mask(mask_kji)
    if box is None:
        return MaskPatch.empty()
    return MaskPatch.cropped(mask_kji[box.slices].astype(bool) & ~other_kji[box.slices].astype(bool), box.low_kji)
