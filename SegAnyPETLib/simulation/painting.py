"""Uptake painted on tissues."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from SegAnyPETLib.simulation.lesions import smooth_noise
from SegAnyPETLib.simulation.tissues import Tissue


def paint(
    tissues: NDArray[np.uint8],
    uptake: NDArray[np.float32],
    spacing_kji: ArrayLike,
    rng: np.random.Generator,
    myocardium: bool = False,
) -> NDArray[np.float32]:
    """Paint the activity of a tissue map.

    Args:
        tissues: values of `Tissue` (k, j, i).
        uptake: SUV indexed by `Tissue`.
        spacing_kji: voxel size in mm.
        rng: source of randomness.
        myocardium: whether the heart's cavities hold blood instead of the uptake of its wall.

    Returns:
        float32 SUV, before the scanner.
    """
    spacing = np.asarray(spacing_kji, dtype=float)
    activity = uptake[tissues]
    if myocardium:
        heart = tissues == Tissue.HEART
        if heart.any():
            depth = ndimage.distance_transform_edt(heart, sampling=spacing)
            activity[depth > rng.uniform(9, 15)] = uptake[Tissue.BLOOD]
    for scale_mm, strength in ((28.0, rng.uniform(0.03, 0.15)), (9.0, rng.uniform(0.02, 0.15))):
        activity *= np.exp(np.float32(strength) * smooth_noise(tissues.shape, scale_mm / spacing, rng))
    return activity
