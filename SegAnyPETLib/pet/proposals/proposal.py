"""A candidate lesion and what can be said of it from the PET alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegAnyPETLib.pet.proposals.frame import BodyFrame, Place
from SegAnyPETLib.pet.thresholds import peak_at
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: Two candidates are a pair if one mirrored at the midline lies within this distance of the other, ...
PAIR_DISTANCE_MM = 30.0
#: ... if neither has more than this many times the other's volume, ...
PAIR_VOLUME_RATIO = 3.0
#: ... or SUVmax, ...
PAIR_SUV_RATIO = 2.0
#: ... and if they lie this far from the midline.
PAIR_MIDLINE_MM = 15.0


@dataclass(frozen=True, eq=False)
class Candidate:
    """A hot region with what it measures.

    Attributes:
        region: its voxels on the scan's grid.
        volume_ml: of its voxels.
        suv_max: maximum.
        suv_mean: mean.
        suv_peak: mean of the sphere of 1 ml around the maximum (local intensity peak of IBSI).
        hottest_ras: centre of the voxel of the maximum, RAS mm.
        center_ras: mean of its voxels' centres, RAS mm.
        place: of the centre in the body.
        paired: whether another candidate lies mirrored at the midline.
    """

    region: MaskPatch
    volume_ml: float
    suv_max: float
    suv_mean: float
    suv_peak: float
    hottest_ras: tuple[float, float, float]
    center_ras: tuple[float, float, float]
    place: Place
    paired: bool = False

    @property
    def tlg(self) -> float:
        """Total lesion glycolysis, mean times volume."""
        return self.suv_mean * self.volume_ml

    @property
    def fill(self) -> float:
        """Share of its box of the grid that the region fills: small for rings, tubes and what branches."""
        return self.region.voxels / self.region.array_kji.size


def candidate_of(volume: Volume, region: MaskPatch, frame: BodyFrame) -> Candidate:
    """Measure a region with at least one voxel; whether it is one of a pair is said by `paired_places`."""
    values = volume.array_kji[region.slices][region.array_kji].astype(np.float64)
    indices = np.argwhere(region.array_kji) + region.offset_kji
    k, j, i = (int(n) for n in indices[int(values.argmax())])
    center_ras = volume.point_ras(indices.mean(axis=0))
    return Candidate(
        region,
        values.size * volume.voxel_ml,
        float(values.max()),
        float(values.mean()),
        peak_at(volume, (k, j, i)),
        _three(volume.point_ras((k, j, i))),
        _three(center_ras),
        frame.place(center_ras),
    )


def paired_places(candidates: Sequence[Candidate]) -> list[bool]:
    """Return of each candidate whether another one lies mirrored at the midline, alike in size and uptake."""
    if not candidates:
        return []
    centers = np.array([(c.place.left_mm, c.place.anterior_mm, c.center_ras[2]) for c in candidates])
    distance_mm = np.linalg.norm(centers[:, None] * (-1, 1, 1) - centers[None], axis=-1)
    volumes, maxima = (np.log([getattr(c, name) for c in candidates]) for name in ("volume_ml", "suv_max"))
    alike = np.abs(volumes[:, None] - volumes) <= np.log(PAIR_VOLUME_RATIO)
    alike &= np.abs(maxima[:, None] - maxima) <= np.log(PAIR_SUV_RATIO)
    aside = np.abs(centers[:, 0]) >= PAIR_MIDLINE_MM
    pairs = (distance_mm <= PAIR_DISTANCE_MM) & alike & aside[:, None] & aside
    np.fill_diagonal(pairs, False)
    return [bool(n) for n in pairs.any(axis=1)]


def _three(point: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(c) for c in point)
    return x, y, z
