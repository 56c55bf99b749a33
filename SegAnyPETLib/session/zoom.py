"""Which window to look through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window

#: Voxel size of the first look at a target of unknown size, in mm.
FIRST_LOOK_MM = 4.0
#: Where the model expects less than this Dice of its first mask, it looks at these voxel sizes too, and the mask of
#: which it expects most tells the size: a click in the cold core of a large tumour looks like a small one from near.
DOUBT = 0.85
OTHER_LOOKS_MM = (3.0, 5.0, 6.5)
#: A window is chosen so large that the target fills this share of its side.
FILL = 0.6
#: A window is kept while target and points stay this many voxels away from its border.
BORDER = 3
#: A model without zoom may not hold the target; its window is kept while clicks stay this share of its side away.
CLICK_MARGIN = 0.125


def first_window(volume: Volume, backend: Backend, point: Point, spacing_mm: float = FIRST_LOOK_MM) -> Window:
    """Place a window around the first point, before anything is known of the target."""
    spacing = float(np.clip(spacing_mm, *spacing_range(backend)))
    return Window.around(volume, point.ras, backend.spec.size, spacing)


def fitting_window(volume: Volume, backend: Backend, mask: MaskPatch, points: tuple[Point, ...]) -> Window:
    """Return the window that shows a mask and all points at the finest voxel size, centred on both.

    If the coarsest voxel size cannot hold them, the window lies around the last point.
    """
    low, high = extent(volume, mask, points)
    low_ras, high_ras = volume.point_ras(low), volume.point_ras(high)
    side_mm = np.abs((high - low) * volume.spacing_mm[::-1]).max()
    size = backend.spec.size
    finest, coarsest = spacing_range(backend)
    spacing = float(np.clip(side_mm / FILL / size, finest, coarsest))
    center = (low_ras + high_ras) / 2
    if side_mm > spacing * (size - 2 * BORDER) and points:
        center = np.array(points[-1].ras)
    return Window.around(volume, center, size, spacing)


def still_fits(window: Window, volume: Volume, mask: MaskPatch, points: tuple[Point, ...]) -> bool:
    """Return whether a window shows a mask and all points, away from its border."""
    low, high = extent(volume, mask, points)
    return all(window.contains(volume.point_ras(corner), BORDER) for corner in (low, high))


def shows_click(window: Window, point: Point) -> bool:
    """Return whether a click lies well inside a window."""
    return window.contains(point.ras, CLICK_MARGIN * window.size)


def extent(volume: Volume, mask: MaskPatch, points: tuple[Point, ...]) -> tuple[NDArray, NDArray]:
    """Lowest and highest volume index (k, j, i) of a mask's voxels and of points."""
    corners = [volume.index_kji(p.ras) for p in points]
    if mask.voxels:
        corners += [np.array(mask.box.low_kji), np.array(mask.box.high_kji) - 1]
    stacked = np.array(corners, dtype=float)
    return stacked.min(0), stacked.max(0)


def spacing_range(backend: Backend) -> tuple[float, float]:
    """Finest and coarsest voxel size of a backend's windows in mm."""
    return min(backend.spec.spacing_mm), max(backend.spec.spacing_mm)
