"""Clicks of the command line as points in patient space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume

Coordinates = tuple[float, float, float]


def to_points(clicks: Sequence[tuple[Coordinates, bool]], frame: str, volume: Volume) -> list[Point]:
    """Return points in RAS mm that lie in a volume.

    Args:
        clicks: coordinates, and whether the target is there.
        frame: ``"ras"`` or ``"lps"`` in millimetres, or ``"ijk"`` in voxels of the volume, which may be fractions.
        volume: what is clicked.

    Raises:
        InputError: a point is not finite or lies outside the volume.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # coordinates may be so large that they lie at infinity
        points = [Point(_to_ras(coordinates, frame, volume), positive) for coordinates, positive in clicks]
        for point in points:
            volume.nearest_kji(point.ras)
    return points


def _to_ras(coordinates: Coordinates, frame: str, volume: Volume) -> Coordinates:
    x, y, z = coordinates
    if frame == "lps":
        return -x, -y, z
    if frame == "ijk":
        r, a, s = volume.point_ras((z, y, x))
        return float(r), float(a), float(s)
    return coordinates
