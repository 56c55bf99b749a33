"""Masks as a hand paints them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.volume import Volume

#: Along a border, painting errs the same way over about this length.
GRAIN_MM = 6.0


def painted(reference: Volume, hand_mm: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Paint a target: its border moves in and out by a smooth random distance.

    Args:
        reference: bool volume with at least one voxel.
        hand_mm: standard deviation of that distance.
        rng: source of the draw.

    Returns:
        Mask (k, j, i) on the reference's grid, with at least one voxel.
    """
    spacing_kji_mm = reference.spacing_mm[::-1]
    box = Box.of_mask(reference.array_kji)
    assert box is not None, "a target has a voxel"
    box = box.grown(np.ceil(4 * hand_mm / spacing_kji_mm).astype(int) + 1).clipped(reference.shape_kji)
    true = reference.array_kji[box.slices]
    inside_mm = ndimage.distance_transform_edt(true, sampling=spacing_kji_mm)
    outside_mm = ndimage.distance_transform_edt(~true, sampling=spacing_kji_mm)
    # From voxel centres; the border lies half a voxel before the first one on the other side.
    depth_mm = np.where(true, inside_mm, -outside_mm) - np.where(true, 0.5, -0.5) * spacing_kji_mm.min()
    noise = ndimage.gaussian_filter(rng.normal(size=true.shape), GRAIN_MM / spacing_kji_mm)
    noise *= hand_mm / max(float(noise.std()), 1e-12)
    result = np.zeros(reference.shape_kji, dtype=bool)
    mask = depth_mm + noise > 0
    result[box.slices] = mask if mask.any() else true
    return result
