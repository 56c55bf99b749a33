"""The surroundings of a voxel as a box of the grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.volume import Volume


def distances_around(volume: Volume, center_kji: tuple[int, int, int], radius_mm: float) -> tuple[Box, NDArray]:
    """Return the box around a sphere, clipped to the volume, and the distance in mm of its voxels to the centre."""
    spacing_kji_mm = volume.spacing_mm[::-1]
    reach = np.ceil(radius_mm / spacing_kji_mm).astype(int)
    box = Box.around(center_kji, reach).clipped(volume.shape_kji)
    axes = [
        (np.arange(b.start, b.stop) - c) * s for b, c, s in zip(box.slices, center_kji, spacing_kji_mm, strict=True)
    ]
    return box, np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij", sparse=True)))


def index_in(box: Box, flat: int) -> tuple[int, int, int]:
    """Return the index (k, j, i) in the grid of a box's voxel, given by its number in C order."""
    k, j, i = (int(n) + low for n, low in zip(np.unravel_index(flat, box.shape_kji), box.low_kji, strict=True))
    return k, j, i
