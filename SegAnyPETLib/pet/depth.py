"""Depth of voxels in a mask, and its deepest voxel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


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
