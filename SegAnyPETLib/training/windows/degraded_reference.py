"""References as another reader, method or day might have drawn them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.simulation.lesions import smooth_noise

#: How far the surface moves as a whole, as a share of the target's depth.
MAX_SHIFT = 0.4
#: By how much the surface wavers, as a share of the target's depth.
MAX_WAVER = 0.6


def degraded_reference(target: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw a mask whose surface lies elsewhere: too wide or too narrow, and wavering.

    Args:
        target: (K, J, I), not empty.
        rng: source of randomness.

    Returns:
        The mask; the target itself where nothing of it would be left.
    """
    signed = ndimage.distance_transform_edt(target) - ndimage.distance_transform_edt(~target)
    depth = max(float(signed.max()), 1.0)
    shift = rng.uniform(-MAX_SHIFT, MAX_SHIFT) * depth
    moved = signed + (shift + rng.uniform(0.0, MAX_WAVER) * depth * smooth_noise(target.shape, depth, rng)) > 0
    return moved if moved.any() else target
