"""Closed contours of a mask along the edges of its voxels.

A rasteriser that fills what has its centre in a contour gets the mask back exactly, whichever rule of winding it has,
and the area in a contour is that of the voxels. Holes are cut in by the keyhole technique of DICOM PS3.3, C.8.8.6.3: a
channel without width leads from the outer contour to the hole and back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

#: A corner (x, y) of voxels in a slice: the voxel with indices (j, i) has its corners at i and i + 1, j and j + 1.
Corner = tuple[int, int]


def contours_of(mask_ji: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Trace the contours of a slice.

    Args:
        mask_ji: bool array of a slice.

    Returns:
        One array (corners, 2) of continuous indices (i, j) for each part whose voxels are joined by their edges; the
        last corner is joined to the first one.
    """
    loops = list(_loops(mask_ji))
    outer = [loop for loop in loops if _area(loop) > 0]
    holes = sorted((_from_leftmost(loop) for loop in loops if _area(loop) < 0), key=lambda loop: loop[0])
    return [np.array(_corners_only(loop), float) - 0.5 for loop in _with_keyholes(outer, holes)]


def _loops(mask_ji: NDArray[np.bool_]) -> Iterator[list[Corner]]:
    """Boundaries through every corner on their way, clockwise in the slice around the mask, the other way around holes.

    Where voxels touch at a corner only, the way stays at the same voxel.
    """
    edges = list(_edges(mask_ji))
    ways: dict[Corner, list[Corner]] = {}
    for start, end in edges:
        ways.setdefault(start, []).append(end)
    untold = set(edges)
    for edge in edges:
        loop = []
        while edge in untold:
            untold.remove(edge)
            loop.append(edge[0])
            edge = edge[1], _onward(*edge, ways[edge[1]])
        if loop:
            yield loop


def _edges(mask_ji: NDArray[np.bool_]) -> Iterator[tuple[Corner, Corner]]:
    """Edges between a voxel of the mask and one that is not, with the mask at their right hand."""
    padded = np.pad(mask_ji, 1)
    inside = padded[1:-1, 1:-1]
    sides = (
        (padded[:-2, 1:-1], (0, 0), (1, 0)),
        (padded[1:-1, 2:], (1, 0), (1, 1)),
        (padded[2:, 1:-1], (1, 1), (0, 1)),
        (padded[1:-1, :-2], (0, 1), (0, 0)),
    )
    for neighbour, (x0, y0), (x1, y1) in sides:
        for j, i in np.argwhere(inside & ~neighbour).tolist():
            yield (i + x0, j + y0), (i + x1, j + y1)


def _onward(before: Corner, at: Corner, ends: list[Corner]) -> Corner:
    """Return where the way goes on from a corner: of two ends, the one that turns right."""
    if len(ends) == 1:
        return ends[0]
    return at[0] - (at[1] - before[1]), at[1] + (at[0] - before[0])


def _area(loop: list[Corner]) -> float:
    """Area, positive around the mask and negative around a hole."""
    x, y = np.array(loop, float).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def _from_leftmost(loop: list[Corner]) -> list[Corner]:
    """Return the loop from the first of its leftmost corners."""
    first = loop.index(min(loop))
    return [*loop[first:], *loop[:first]]


def _with_keyholes(outer: list[list[Corner]], holes: Iterable[list[Corner]]) -> list[list[Corner]]:
    """Cut holes, from left to right, into the loop that lies next at their left."""
    merged = [list(loop) for loop in outer]
    owner = {corner: n for n, loop in enumerate(merged) for corner in loop}
    for hole in holes:
        x, y = hole[0]
        left = next((x - step, y) for step in range(1, x + 1) if (x - step, y) in owner)
        loop = merged[owner[left]]
        at = loop.index(left)
        loop[at + 1 : at + 1] = [*hole, hole[0], left]
        owner |= dict.fromkeys(hole, owner[left])
    return merged


def _corners_only(loop: list[Corner]) -> list[Corner]:
    """Leave out where the way goes straight on, but for both ends of channels, by which readers know them."""
    visits = Counter(loop)
    steps = zip(loop[-1:] + loop[:-1], loop, loop[1:] + loop[:1], strict=True)
    return [at for before, at, after in steps if visits[at] > 1 or _direction(before, at) != _direction(at, after)]


def _direction(start: Corner, end: Corner) -> Corner:
    return int(np.sign(end[0] - start[0])), int(np.sign(end[1] - start[1]))
