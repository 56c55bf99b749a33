"""How a model's proposal becomes the mask: what earlier clicks settled stays settled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: Around a point that the model ignored, the mask is set or cleared within this distance.
POINT_RADIUS_MM = 4.0

_TOUCHING = ndimage.generate_binary_structure(3, 3)


def settle(volume: Volume, before: MaskPatch, proposal: MaskPatch, points: tuple[Point, ...]) -> MaskPatch:
    """The mask after a click.

    Args:
        volume: the grid.
        before: the mask before the click; empty for a new target.
        proposal: what the model made of all points and that mask.
        points: all clicks; the last one is new.

    Returns:
        A mask that contains every positive point and no negative one.
    """
    box = _common_box(volume, before, proposal, points)
    old, new = _cut(before, box), _cut(proposal, box)
    origin = tuple(s.start for s in box)
    mask = _near_the_click(old, new, _voxel(volume, points[-1], origin), points[-1].positive) if old.any() and points else new
    spacing = volume.spacing_mm[::-1]
    for point in points:
        _force(mask, _voxel(volume, point, origin), point.positive, spacing)
    for point in points:  # a ball around one point may have covered another one
        mask[_voxel(volume, point, origin)] = point.positive
    return MaskPatch.cropped(mask, origin)


def _near_the_click(old: NDArray, new: NDArray, click: tuple[int, ...], positive: bool) -> NDArray[np.bool_]:
    """Accept what the click was about: the additions around a positive one, the removals around a negative one."""
    return new.copy()


def _force(mask: NDArray[np.bool_], voxel: tuple[int, ...], positive: bool, spacing_kji: NDArray) -> None:
    """Set or clear a small ball around a point that the mask contradicts."""
    if mask[voxel] == positive:
        return
    reach = np.ceil(POINT_RADIUS_MM / spacing_kji).astype(int)
    box = tuple(slice(max(v - r, 0), v + r + 1) for v, r in zip(voxel, reach, strict=True))
    axes = [(np.arange(s.start, min(s.stop, n)) - v) * d for s, n, v, d in zip(box, mask.shape, voxel, spacing_kji, strict=True)]
    k, j, i = axes
    mask[box][k[:, None, None] ** 2 + j[:, None] ** 2 + i**2 <= POINT_RADIUS_MM**2] = positive


def _common_box(
    volume: Volume, before: MaskPatch, proposal: MaskPatch, points: tuple[Point, ...]
) -> tuple[slice, slice, slice]:
    """The part of the grid that holds both masks and all points, with room for a ball."""
    margin = np.ceil(POINT_RADIUS_MM / volume.spacing_mm[::-1]).astype(int) + 1
    lows = [np.array(volume.nearest_kji(p.ras)) - margin for p in points]
    highs = [np.array(volume.nearest_kji(p.ras)) + margin + 1 for p in points]
    for patch in (before, proposal):
        if patch.voxels:
            lows.append(np.array([s.start for s in patch.slices]))
            highs.append(np.array([s.stop for s in patch.slices]))
    low = np.maximum(np.min(lows, axis=0), 0)
    high = np.minimum(np.max(highs, axis=0), volume.shape_kji)
    k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return k, j, i


def _cut(patch: MaskPatch, box: tuple[slice, slice, slice]) -> NDArray[np.bool_]:
    """A patch on a box that holds it."""
    array = np.zeros([s.stop - s.start for s in box], dtype=bool)
    if patch.voxels:
        array[tuple(slice(p.start - b.start, p.stop - b.start) for p, b in zip(patch.slices, box, strict=True))] = (
            patch.array_kji
        )
    return array


def _voxel(volume: Volume, point: Point, origin: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(v - o for v, o in zip(volume.nearest_kji(point.ras), origin, strict=True))
