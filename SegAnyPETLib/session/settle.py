"""How a model's proposal becomes the mask: what earlier clicks settled stays settled.

A positive click only adds and a negative click only removes, whatever the model proposes beside, and neither reaches
beyond the points of the other kind; so a click never undoes what others settled. And every point is obeyed, also where
the model ignores it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: Around a point that the model ignored, the mask is set or cleared within this distance.
POINT_RADIUS_MM = 4.0
#: A click changes only what is at most this many times as far from it as from the nearest point of the other kind.
REACH = 1.5
#: A model is shown the mask without what is at most this share as far from a new negative point as from a positive one;
#: else it trusts the mask more than the click.
CLEARED_SHARE = 0.5
#: Parts of a proposal without a positive point that are smaller than this share of the largest part are dropped.
DEBRIS_SHARE = 0.1

_TOUCHING = ndimage.generate_binary_structure(3, 3)


def settle(
    volume: Volume,
    before: MaskPatch,
    proposal: MaskPatch,
    points: tuple[Point, ...],
    seen: Sequence[Box],
) -> MaskPatch:
    """Return the mask after a prompt.

    Args:
        volume: the grid.
        before: the mask before the click; empty for a new target.
        proposal: what the model made of all points and that mask.
        points: all clicks, the last one is new; none for a mask prompt without points.
        seen: the boxes of the grid that the model saw; elsewhere the mask stays as it was.

    Returns:
        A mask that contains every positive point and no negative one; of two points in one voxel the later one counts.
    """
    box = _common_box(volume, before, proposal, points)
    origin = box.low_kji
    voxels = [np.array(volume.nearest_kji(p.ras)) - origin for p in points]
    mask = without_debris(proposal.within(box), [v for v, p in zip(voxels, points, strict=True) if p.positive])
    if before.voxels and points:
        old = before.within(box)
        visible = np.zeros(mask.shape, dtype=bool)
        for part in seen:
            visible[part.meet(box).relative_to(box).slices] = True
        mask = _changed_by(points, voxels, old, np.where(visible, mask, old), volume.spacing_mm[::-1])
    for n, point in enumerate(points):
        if mask[tuple(voxels[n])] != point.positive:
            mask[_nearest_to(n, voxels, mask.shape, volume.spacing_mm[::-1])] = point.positive
    return MaskPatch.cropped(mask, origin)


def _changed_by(
    points: tuple[Point, ...], voxels: list[NDArray], before: NDArray, proposal: NDArray, spacing_kji: NDArray
) -> NDArray[np.bool_]:
    """Return the mask before a click, changed by what the last point may change."""
    positive = points[-1].positive
    changed = proposal & ~before if positive else before & ~proposal
    others = [v for v, p in zip(voxels, points, strict=True) if p.positive != positive]
    if others:
        index = np.argwhere(changed)
        to_click, *to_others = (np.linalg.norm((index - v) * spacing_kji, axis=1) for v in (voxels[-1], *others))
        far = index[to_click > REACH * np.min(to_others, axis=0)]
        changed[tuple(far.T)] = False
    return before | changed if positive else before & ~changed


def cleared(volume: Volume, mask: MaskPatch, points: tuple[Point, ...]) -> MaskPatch:
    """Return the mask that a model is shown after a negative click.

    Args:
        volume: the grid.
        mask: the mask so far.
        points: all clicks; the last one is negative.
    """
    positive = [p for p in points if p.positive]
    if not positive or not mask.voxels:
        return mask
    spacing = volume.spacing_mm[::-1]
    index = np.argwhere(mask.array_kji)
    to_click, *to_others = (
        np.linalg.norm((index + mask.offset_kji - volume.nearest_kji(p.ras)) * spacing, axis=1)
        for p in (points[-1], *positive)
    )
    kept = mask.array_kji.copy()
    kept[tuple(index[to_click <= CLEARED_SHARE * np.min(to_others, axis=0)].T)] = False
    return MaskPatch.cropped(kept, mask.offset_kji)


def without_debris(mask: NDArray[np.bool_], positive: list[NDArray]) -> NDArray[np.bool_]:
    """Keep the large parts of a mask, and those with a positive point.

    Args:
        mask: (k, j, i).
        positive: voxels (k, j, i) of the positive points.
    """
    labels, count = ndimage.label(mask, _TOUCHING)
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    keep = sizes >= DEBRIS_SHARE * sizes.max()
    keep[[labels[tuple(voxel)] for voxel in positive]] = True
    keep[0] = False
    return keep[labels]


def _nearest_to(
    number: int, voxels: list[NDArray], shape: tuple[int, ...], spacing_kji: NDArray
) -> tuple[NDArray, ...]:
    """Return the indices of a ball around a point, without the voxels that lie nearer to another point."""
    center = voxels[number]
    reach = np.ceil(POINT_RADIUS_MM / spacing_kji).astype(int)
    box = Box.around(center, reach).clipped(shape)
    index = np.argwhere(np.ones(box.shape_kji, dtype=bool)) + box.low_kji
    distance = np.stack([np.linalg.norm((index - v) * spacing_kji, axis=1) for v in voxels])
    # Of points at equal distance the later one counts.
    nearest = len(voxels) - 1 - distance[::-1].argmin(axis=0)
    chosen = index[(nearest == number) & (distance[number] <= POINT_RADIUS_MM)]
    return tuple(chosen.T)


def _common_box(volume: Volume, before: MaskPatch, proposal: MaskPatch, points: tuple[Point, ...]) -> Box:
    """Return the part of the grid that holds both masks and all points, with room for a ball."""
    margin = np.ceil(POINT_RADIUS_MM / volume.spacing_mm[::-1]).astype(int) + 1
    boxes = [Box.around(volume.nearest_kji(p.ras), margin) for p in points]
    boxes += [patch.box for patch in (before, proposal) if patch.voxels]
    return reduce(Box.join, boxes).clipped(volume.shape_kji)
