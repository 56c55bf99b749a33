"""Hot regions of a whole scan, split at watersheds into single maxima.

Every hot voxel belongs to the maximum that steepest ascent over its 26 neighbours leads to. Two maxima are one region
if the highest pass between them is hardly lower than the lower one; the passes are looked at from the highest down, so
that the result does not depend on any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch

#: Two maxima are one region if the pass between them has at least this share of the lower one: noise of a clinical scan
#: makes passes of 0.8 and more, two nodes that a scanner resolves lie below.
PASS_FRACTION = 0.7

#: Steps to all 26 neighbours; the last 13 are the first 13 turned round.
_NEIGHBOURS = [(k, j, i) for k, j, i in product((-1, 0, 1), repeat=3) if (k, j, i) != (0, 0, 0)]
_ALL_NEIGHBOURS = np.ones((3, 3, 3), dtype=int)


@dataclass(frozen=True)
class Cut:
    """Which voxels are hot, and how far a region reaches down from its maximum.

    Attributes:
        floor: a voxel is hot from this value on.
        fraction: a region's voxels have at least this fraction of its maximum; 0 for all hot voxels.
        min_max: a region's maximum has at least this value.
    """

    floor: float
    fraction: float = 0.0
    min_max: float = 0.0


def hot_regions(
    array_kji: NDArray[np.float32], cut: Cut, min_voxels: int = 1, pass_fraction: float = PASS_FRACTION
) -> list[MaskPatch]:
    """Find the hot regions of an image.

    Args:
        array_kji: the image; voxels without a finite value are not hot.
        cut: what is hot.
        min_voxels: smaller regions are left out.
        pass_fraction: see `PASS_FRACTION`; above 1 every maximum has a region of its own.

    Returns:
        Regions that do not overlap, the one with the highest maximum first.
    """
    hot = array_kji >= cut.floor
    box = Box.of_mask(hot)
    if box is None:
        return []
    voxels = _Voxels.of(array_kji[box.slices], hot[box.slices] & np.isfinite(array_kji[box.slices]))
    owners = _merged(voxels, _basins(voxels), pass_fraction)
    return _patches(voxels, owners, cut, min_voxels, box)


@dataclass(frozen=True, eq=False)
class _Voxels:
    """The hot voxels of a box.

    Attributes:
        where: their places in the flat box with a rim of one voxel, ascending.
        values: of the image.
        by_rank: their numbers from the coolest to the hottest; of equal ones the later place counts as hotter.
        ranks: rank of every voxel of the box with its rim, flat; -1 if it is not hot.
        shape_kji: of the box with its rim.
    """

    where: NDArray[np.int64]
    values: NDArray[np.float32]
    by_rank: NDArray[np.int64]
    ranks: NDArray[np.int32]
    shape_kji: tuple[int, int, int]

    @classmethod
    def of(cls, array_kji: NDArray[np.float32], hot_kji: NDArray[np.bool_]) -> _Voxels:
        k, j, i = (n + 2 for n in array_kji.shape)
        ranks = np.full((k, j, i), -1, np.int32)
        values = array_kji[hot_kji]
        by_rank = np.argsort(values, kind="stable")
        own = np.empty(values.size, np.int32)
        own[by_rank] = np.arange(values.size, dtype=np.int32)
        ranks[1:-1, 1:-1, 1:-1][hot_kji] = own
        flat = ranks.ravel()
        return cls(np.flatnonzero(flat >= 0), values, by_rank, flat, (k, j, i))

    def step(self, offset_kji: tuple[int, int, int]) -> int:
        """Return by how much a step changes the place."""
        k, j, i = offset_kji
        return (k * self.shape_kji[1] + j) * self.shape_kji[2] + i


def _basins(voxels: _Voxels) -> NDArray[np.int64]:
    """Return for each voxel the number of the maximum that steepest ascent leads to."""
    highest = voxels.ranks[voxels.where]
    for offset in _NEIGHBOURS:
        np.maximum(highest, voxels.ranks[voxels.where + voxels.step(offset)], out=highest)
    up = voxels.by_rank[highest]
    while True:
        further = up[up]
        if np.array_equal(further, up):
            return up
        up = further


def _merged(voxels: _Voxels, basins: NDArray[np.int64], pass_fraction: float) -> NDArray[np.int64]:
    """Return for each voxel the number of the maximum of its region, after regions without a deep pass are joined."""
    owner = np.arange(voxels.values.size)

    def find(number: int) -> int:
        while owner[number] != number:
            owner[number] = owner[owner[number]]
            number = int(owner[number])
        return number

    for first, second, height in zip(*_passes(voxels, basins), strict=True):
        one, other = find(int(first)), find(int(second))
        if one == other:
            continue
        if voxels.values[one] < voxels.values[other]:
            one, other = other, one
        if height >= pass_fraction * voxels.values[other]:
            owner[other] = one
    while not np.array_equal(owner, owner[owner]):
        owner = owner[owner]
    return owner[basins]


def _passes(voxels: _Voxels, basins: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray]:
    """Return pairs of touching basins with the height of the highest pass between them, the highest first."""
    pairs, heights = [], []
    for offset in _NEIGHBOURS[:13]:
        ranks = voxels.ranks[voxels.where + voxels.step(offset)]
        here = np.flatnonzero(ranks >= 0)
        there = voxels.by_rank[ranks[here]]
        apart = basins[here] != basins[there]
        here, there = here[apart], there[apart]
        pair = np.sort(np.stack([basins[here], basins[there]]), axis=0)
        pairs.append(pair)
        heights.append(np.minimum(voxels.values[here], voxels.values[there]))
    (first, second), height = np.concatenate(pairs, axis=1), np.concatenate(heights)
    order = np.lexsort((second, first, -height))
    first, second, height = first[order], second[order], height[order]
    _, once = np.unique(first * voxels.values.size + second, return_index=True)
    once.sort()
    return first[once], second[once], height[once]


def _patches(voxels: _Voxels, owners: NDArray[np.int64], cut: Cut, min_voxels: int, box: Box) -> list[MaskPatch]:
    kept = voxels.values >= cut.fraction * voxels.values[owners]
    kept &= voxels.values[owners] >= cut.min_max
    owners, where = owners[kept], voxels.where[kept]
    if not owners.size:
        return []
    order = np.argsort(owners, kind="stable")
    owners, where = owners[order], where[order]
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    found = []
    for start, end in zip(starts, np.r_[starts[1:], owners.size], strict=True):
        if end - start < min_voxels:
            continue
        places = np.stack(np.unravel_index(where[start:end], voxels.shape_kji))
        low = places.min(axis=1)
        mask = np.zeros(places.max(axis=1) - low + 1, bool)
        mask[tuple(places - low[:, None])] = True
        maximum = int(owners[start])
        peak = np.array(np.unravel_index(voxels.where[maximum], voxels.shape_kji)) - low
        patch = _connected(mask, tuple(peak), low - 1 + box.low_kji)
        if patch.voxels >= min_voxels:
            found.append((float(voxels.values[maximum]), maximum, patch))
    return [patch for _, _, patch in sorted(found, key=lambda item: (-item[0], item[1]))]


def _connected(mask_kji: NDArray[np.bool_], peak_kji: tuple[int, ...], low_kji: NDArray) -> MaskPatch:
    """Return the part of a region that hangs together with its maximum: ascent runs through it, a fraction cuts it."""
    labels, count = ndimage.label(mask_kji, structure=_ALL_NEIGHBOURS)
    k, j, i = (int(n) for n in low_kji)
    return MaskPatch.cropped(mask_kji if count == 1 else labels == labels[peak_kji], (k, j, i))
