"""What a mask misses and what it spills, and where these regions are deepest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: Depths that differ by less than this fraction are ties; rounding must not decide between them.
DEPTH_TOLERANCE = 1e-6


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


def deepest_voxels(region: NDArray[np.bool_], spacing_kji_mm: NDArray) -> NDArray[np.intp]:
    """Return the voxels of a region that are farthest from its outside.

    Components are looked at from the largest box downwards, and only while a box could hold a greater depth. Depths
    are exact: on the way from a voxel to another component the voxel before that one is nearer, and is outside.

    Args:
        region: bool array (k, j, i) with at least one voxel; what lies beyond the array is outside.
        spacing_kji_mm: voxel size along k, j and i.

    Returns:
        Indices (n, 3); more than one if depths tie.
    """
    labels, _ = ndimage.label(region)
    boxes = ndimage.find_objects(labels)
    # Across n voxels of one axis nothing is deeper than (n + 1) // 2 voxels.
    bounds = np.array(
        [min((b.stop - b.start + 1) // 2 * s for b, s in zip(x, spacing_kji_mm, strict=True)) for x in boxes]
    )
    deepest = 0.0
    found: list[NDArray[np.intp]] = []
    for index in np.argsort(-bounds, kind="stable"):
        if bounds[index] < deepest * (1 - DEPTH_TOLERANCE):
            break
        box = boxes[index]
        component = np.pad(labels[box] == index + 1, 1)
        depth_mm = ndimage.distance_transform_edt(component, sampling=spacing_kji_mm)
        greatest = float(depth_mm.max())
        if greatest > deepest * (1 + DEPTH_TOLERANCE):
            deepest, found = greatest, []
        if greatest >= deepest * (1 - DEPTH_TOLERANCE):
            start = np.array([s.start for s in box]) - 1
            found.append(np.argwhere(depth_mm >= deepest * (1 - DEPTH_TOLERANCE)) + start)
    return np.concatenate(found)
