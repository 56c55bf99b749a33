"""Simulated clicks on a window, for training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.pet.depth import depths
from SegAnyPETLib.volume.box import Box

#: Share of clicks at the error's deepest voxel.
DEEPEST_SHARE = 0.6
#: Share of clicks anywhere within its inner half; the others lie anywhere in it.
INNER_SHARE = 0.25
#: Share of clicks that correct the smaller of the two kinds of error.
OTHER_KIND_SHARE = 0.15
#: Share of first clicks that miss the target by one voxel, as a hand does at the border of a small one.
OUTSIDE_SHARE = 0.08


def first_click(target: NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, int, int]:
    """Draw the click that a target begins with: in it, or now and then a voxel outside.

    Args:
        target: reference (K, J, I), not empty.
        rng: source of randomness.

    Returns:
        Index (k, j, i).
    """
    if rng.random() < OUTSIDE_SHARE:
        rim = ndimage.binary_dilation(target) & ~target
        if rim.any():
            return _anywhere(rim, rng)
    return _place(target, rng)


def satisfied_click(
    target: NDArray[np.bool_], predicted: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[tuple[int, int, int], bool] | None:
    """Draw a click that a prediction obeys already: in what is found of the target, or just outside both.

    Args:
        target: reference (K, J, I).
        predicted: mask so far, same shape.
        rng: source of randomness.

    Returns:
        Index (k, j, i) and whether the click is positive; None where there is no such place.
    """
    either = target | predicted
    positive = bool(rng.random() < 0.5)
    region = target & predicted if positive else ndimage.binary_dilation(either, iterations=3) & ~either
    return (_anywhere(region, rng), positive) if region.any() else None


def _anywhere(region: NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, int, int]:
    voxels = np.flatnonzero(region)
    k, j, i = np.unravel_index(int(voxels[int(rng.integers(len(voxels)))]), region.shape)
    return int(k), int(j), int(i)


def next_click(
    target: NDArray[np.bool_], predicted: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[tuple[int, int, int], bool] | None:
    """Draw a click that corrects a prediction.

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
