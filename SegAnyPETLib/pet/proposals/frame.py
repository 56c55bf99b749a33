"""Where in a body something lies, read off the PET alone: height above the shoulders, distance from the midline.

Without organs the shoulders are the only landmark that nearly every scan shows: where the cross-section of the body,
seen from above, becomes that of a trunk. A scan that is cut below the shoulders has no such height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from SegAnyPETLib.volume.volume import Volume

#: The body is where SUV exceeds this; fat has about 0.2, air of a scan with scatter less than 0.1.
BODY_SUV = 0.15
#: Voxels of about this size suffice for the body's outline.
COARSE_MM = 8.0
#: Heights are looked at in slabs of this thickness.
SLAB_MM = 10.0
#: A slab is of the trunk if its area is at least this share of the trunk's usual one, the 75th percentile of all slabs.
TRUNK_SHARE = 0.75
#: Slabs of less area hold no body.
MIN_AREA_MM2 = 1000.0


@dataclass(frozen=True)
class Place:
    """Where a point lies in a body.

    Attributes:
        above_shoulders_mm: height above the shoulders; None if the scan does not show them.
        left_mm: distance from the midline to the patient's left, negative to the right.
        anterior_mm: distance in front of the body's middle.
    """

    above_shoulders_mm: float | None
    left_mm: float
    anterior_mm: float


@dataclass(frozen=True)
class BodyFrame:
    """A body's landmarks in RAS mm.

    Attributes:
        shoulders_s: height of the shoulders; None if the scan begins below them.
        midline_r: of the trunk.
        middle_a: of the trunk.
    """

    shoulders_s: float | None
    midline_r: float
    middle_a: float

    def place(self, point_ras: ArrayLike) -> Place:
        """Return where a point in RAS mm lies."""
        r, a, s = (float(c) for c in np.asarray(point_ras))
        height = None if self.shoulders_s is None else s - self.shoulders_s
        return Place(height, self.midline_r - r, a - self.middle_a)


def body_frame(volume: Volume) -> BodyFrame:
    """Find the landmarks of the body in a PET in SUV; a scan without a body has its middle at the grid's."""
    steps = np.maximum(1, np.rint(COARSE_MM / volume.spacing_mm[::-1]).astype(int))
    coarse = volume.array_kji[:: steps[0], :: steps[1], :: steps[2]]
    body_ras = volume.point_ras(np.argwhere(coarse > BODY_SUV) * steps)
    if not len(body_ras):
        r, a, _ = volume.point_ras((np.array(volume.shape_kji) - 1) / 2)
        return BodyFrame(None, float(r), float(a))
    lowest_s = float(body_ras[:, 2].min())
    heights = (body_ras[:, 2] - lowest_s) / SLAB_MM
    areas = _areas(heights) * float(np.prod(volume.spacing_mm[::-1] * steps)) / SLAB_MM
    usual = np.percentile(areas[areas >= min(MIN_AREA_MM2, areas.max())], 75)
    trunk = areas >= TRUNK_SHARE * usual
    inside = body_ras[trunk[np.floor(heights).astype(int)]]
    midline_r, middle_a = (float(np.median(inside[:, axis])) for axis in (0, 1))
    return BodyFrame(_shoulders(trunk, lowest_s), midline_r, middle_a)


def _areas(heights: NDArray[np.float64]) -> NDArray:
    """Return how many voxels each slab holds; each counts for the two nearest slabs, so that steps do not beat."""
    below = np.floor(heights).astype(int)
    share = heights - below
    count = int(below.max()) + 2
    return np.bincount(below, 1 - share, count) + np.bincount(below + 1, share, count)


def _shoulders(trunk: NDArray[np.bool_], lowest_s: float) -> float | None:
    """Return the height of the highest slab of the trunk, None if the scan has nothing above it."""
    highest = int(np.flatnonzero(trunk)[-1])
    if highest >= len(trunk) - 3:
        return None
    return lowest_s + highest * SLAB_MM
