"""The surroundings of a voxel as a box of the grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.volume.volume import Volume

Box = tuple[slice, slice, slice]


def distances_around(volume: Volume, center_kji: tuple[int, int, int], radius_mm: float) -> tuple[Box, NDArray]:
    """The box that holds a sphere around a voxel, cut at the volume's border, and each voxel's distance to it in mm."""
    spacing_kji_mm = volume.spacing_mm[::-1]
    reach = np.ceil(radius_mm / spacing_kji_mm).astype(int)
    box = clipped(center_kji - reach, center_kji + reach + 1, volume.shape_kji)
    axes = [(np.arange(b.start, b.stop) - c) * s for b, c, s in zip(box, center_kji, spacing_kji_mm, strict=True)]
    return box, np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij", sparse=True)))


def clipped(start: NDArray | list[int], stop: NDArray | list[int], shape: tuple[int, ...]) -> Box:
    """The part of a box that lies in a grid."""
    k, j, i = (slice(max(int(a), 0), min(int(b), n)) for a, b, n in zip(start, stop, shape, strict=True))
    return k, j, i


def index_in(box: Box, flat: int) -> tuple[int, int, int]:
    """The index (k, j, i) in the grid of a box's voxel, given by its number in C order."""
    k, j, i = np.unravel_index(flat, [b.stop - b.start for b in box])
    return int(k) + box[0].start, int(j) + box[1].start, int(i) + box[2].start
