"""Simulated clicks on a window, for training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.pet.depth import depths
from SegAnyPETLib.volume.box import Box

#: Share of clicks at the error's deepest voxel.
DEEPEST_SHARE = 0.6
#: Share of clicks anywhere within its inner half; the others lie anywhere in it.
INNER_SHARE = 0.25
#: Share of clicks that mend the smaller of the two kinds of error.
OTHER_KIND_SHARE = 0.15


def next_click(
    target: NDArray[np.bool_], predicted: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[tuple[int, int, int], bool] | None:
    """A click that corrects a prediction.

    Args:
        target: reference (K, J, I).
        predicted: mask so far, same shape; all False before the first click.
        rng: source of randomness.

    Returns:
        Index (k, j, i) and whether the click is positive; None where nothing is wrong.
    """
    missed, spilled = target & ~predicted, predicted & ~target
    counts = (int(missed.sum()), int(spilled.sum()))
    if counts == (0, 0):
        return None
    positive = counts[0] >= counts[1]
    if min(counts) > 0 and rng.random() < OTHER_KIND_SHARE:
        positive = not positive
    return _place(missed if positive else spilled, rng), positive


def _place(region: NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, int, int]:
    box = Box.of_mask(region)
    assert box is not None
    inner = region[box.slices]
    kind = rng.random()
    if kind < DEEPEST_SHARE + INNER_SHARE:
        depth = depths(inner)
        inner = depth >= depth.max() * (0.999 if kind < DEEPEST_SHARE else 0.5)
    voxels = np.argwhere(inner)
    k, j, i = voxels[int(rng.integers(len(voxels)))] + box.low_kji
    return int(k), int(j), int(i)
