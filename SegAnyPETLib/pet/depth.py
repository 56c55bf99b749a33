"""Depth of voxels in a mask, and its deepest voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

#: Depths that differ by less than this fraction are ties; rounding must not decide between them.
DEPTH_TOLERANCE = 1e-6


def depths(mask_kji: NDArray[np.bool_], spacing_kji_mm: Sequence[float] | NDArray | None = None) -> NDArray[np.float64]:
    """Return the Euclidean distance from each voxel of a mask to the nearest voxel outside it, 0 outside.

    Args:
        mask_kji: bool array (k, j, i); what lies beyond the array is outside the mask.
        spacing_kji_mm: voxel size along k, j and i; None gives depths in voxels.

    Returns:
        Depths in mm, or in voxels without a spacing; shape of the mask.
    """
    return ndimage.distance_transform_edt(np.pad(mask_kji, 1), sampling=spacing_kji_mm)[1:-1, 1:-1, 1:-1]


def deepest_voxel(
    mask_kji: NDArray[np.bool_], spacing_kji_mm: Sequence[float] | NDArray | None = None
) -> tuple[int, int, int]:
    """Return the index (k, j, i) of the voxel with the greatest depth, the first in the array's order among equal ones.

    Args:
        mask_kji: as for `depths`, with at least one voxel.
        spacing_kji_mm: as for `depths`.
    """
    depth = depths(mask_kji, spacing_kji_mm)
    k, j, i = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(k), int(j), int(i)


def deepest_voxels(mask_kji: NDArray[np.bool_], spacing_kji_mm: NDArray) -> NDArray[np.intp]:
    """Return the voxels of a mask that are farthest from its outside.

    Components are looked at from the largest box downwards, and only while a box could hold a greater depth. Depths
    are exact: on the way from a voxel to another component the voxel before that one is nearer, and is outside.

    Args:
        mask_kji: bool array (k, j, i) with at least one voxel; what lies beyond the array is outside.
        spacing_kji_mm: voxel size along k, j and i.

    Returns:
        Indices (n, 3); more than one if depths tie.
    """
    labels, _ = ndimage.label(mask_kji)
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
