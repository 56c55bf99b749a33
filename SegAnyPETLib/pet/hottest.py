"""The hottest voxel near a click: what a click on uptake means."""

from __future__ import annotations

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.nearby import distances_around, index_in
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume

#: A click means the hottest voxel within this distance.
SNAP_MM = 7.0


def hottest_near(volume: Volume, point: Point, radius_mm: float = SNAP_MM) -> tuple[int, int, int]:
    """Index (k, j, i) of the hottest voxel within a radius of the voxel that a point lies in.

    Voxels without a finite value do not count. Of equally hot voxels the nearest is taken, of equally near ones the
    first in the order of the array.

    Raises:
        InputError: the point lies outside the volume, or no voxel near it has a finite value.
    """
    box, distance_mm = distances_around(volume, volume.nearest_kji(point.ras), radius_mm)
    values = volume.array_kji[box.slices]
    eligible = (distance_mm <= radius_mm) & np.isfinite(values)
    if not eligible.any():
        raise InputError("there is no voxel with a finite value near the point; click elsewhere")
    hottest = eligible & (values == values[eligible].max())
    return index_in(box, int(np.where(hottest, distance_mm, np.inf).argmin()))


def snapped(volume: Volume, point: Point, radius_mm: float = SNAP_MM) -> Point:
    """Move a positive point to the centre of the hottest voxel near it; the click is kept in ``clicked_ras``.

    A negative point stays where it is: the hottest voxel near it is more often in the target than not. So does a
    point in the hottest voxel. A snapped point is snapped from its click again.

    Raises:
        InputError: the click lies outside the volume or on a voxel without a finite value.
    """
    click = Point(point.clicked_ras or point.ras, point.positive)
    clicked_kji = volume.nearest_kji(click.ras)
    if not np.isfinite(volume.array_kji[clicked_kji]):
        raise InputError("the point lies on a voxel without a finite value; click elsewhere")
    if not point.positive:
        return point
    index_kji = hottest_near(volume, click, radius_mm)
    if index_kji == clicked_kji:
        return click
    r, a, s = volume.point_ras(index_kji)
    return Point((r, a, s), True, click.ras)
