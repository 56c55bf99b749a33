"""What became of each lesion between two scans of a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.burden.alignment import Alignment
from SegAnyPETLib.pet.burden.lesions import Lesion
from SegAnyPETLib.volume.volume import Volume

#: Lesions overlap if a voxel of one comes this near to a voxel of the other: alignment is not better than that.
TOLERANCE_MM = 8.0
#: Volume must change by this share to have grown or shrunk; repeated scans of one lesion differ by up to a third
#: (Frings et al. 2014, doi 10.1148/radiol.14132807).
MIN_VOLUME_CHANGE = 0.35
#: Bodies of one patient overlap more than this after alignment. Those of two often do too: of simulated bodies of
#: eight patients all overlapped by 0.82 to 0.94. So only what differs grossly, as a child and an adult, is noticed.
MIN_OVERLAP = 0.7


class Fate(StrEnum):
    """What became of lesions."""

    NEW = "new"
    GONE = "gone"
    GROWN = "grown"
    SHRUNK = "shrunk"
    STABLE = "stable"


@dataclass(frozen=True)
class LesionChange:
    """Lesions that overlap, and what became of them; several if they merged or split.

    Attributes:
        before: numbers in the first scan; none if they are new.
        after: numbers in the second scan; none if they are gone.
        fate: by their volume together.
        volume_ml: of both scans, 0 where there is none.
        suv_peak: the highest of both scans, 0 where there is none.
        tlg: of both scans, 0 where there is none.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    fate: Fate
    volume_ml: tuple[float, float]
    suv_peak: tuple[float, float]
    tlg: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Timepoint:
    """A scan with its lesions.

    Attributes:
        volume: the PET in SUV.
        lesions: on its grid; none if nothing is left.
    """

    volume: Volume
    lesions: tuple[Lesion, ...]


def check_same_patient(alignment: Alignment) -> None:
    """Refuse scans whose bodies do not fit each other.

    Raises:
        InputError: they do not.
    """
    if alignment.overlap < MIN_OVERLAP:
        raise InputError(
            f"the two scans look like those of different patients: their bodies overlap by {alignment.overlap:.2f} "
            f"(Dice, less than {MIN_OVERLAP:g}) after alignment; check them, or add --force"
        )


def changes(before: Timepoint, after: Timepoint, alignment: Alignment) -> tuple[LesionChange, ...]:
    """Match the lesions of two scans by overlap.

    Args:
        before: the first scan.
        after: the second scan.
        alignment: from the first to the second.

    Returns:
        Every lesion of both scans once: first what has a counterpart in both, then what is gone, then what is new.
    """
    pairs = _overlaps(before, after, alignment)
    first, count = len(before.lesions), len(before.lesions) + len(after.lesions)
    if not count:
        return ()
    rows, columns = np.array(pairs, dtype=int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows)), (rows, columns + first)), shape=(count, count))
    _, groups = connected_components(graph, directed=False)
    found = []
    for group in dict.fromkeys(groups.tolist()):
        members = np.flatnonzero(groups == group)
        olds = [before.lesions[n] for n in members if n < first]
        news = [after.lesions[n - first] for n in members if n >= first]
        found.append(_change(olds, news))
    return tuple(sorted(found, key=lambda change: (change.fate is Fate.NEW) * 2 + (change.fate is Fate.GONE)))


def _overlaps(before: Timepoint, after: Timepoint, alignment: Alignment) -> list[tuple[int, int]]:
    """Return the places, in both lists, of lesions that overlap."""
    trees = [cKDTree(_points_ras(after.volume, lesion)) for lesion in after.lesions]
    pairs = []
    for n, lesion in enumerate(before.lesions):
        moved_ras = alignment.points_ras(_points_ras(before.volume, lesion))
        for m, tree in enumerate(trees):
            distance_mm, _ = tree.query(moved_ras, distance_upper_bound=TOLERANCE_MM)
            if np.isfinite(distance_mm).any():
                pairs.append((n, m))
    return pairs


def _points_ras(volume: Volume, lesion: Lesion) -> NDArray:
    return volume.point_ras(np.argwhere(lesion.region.array_kji) + lesion.region.offset_kji)


def _change(before: Sequence[Lesion], after: Sequence[Lesion]) -> LesionChange:
    both = (before, after)
    old_ml, new_ml = (sum(lesion.measured.volume_ml for lesion in lesions) for lesions in both)
    old_tlg, new_tlg = (sum(lesion.measured.tlg for lesion in lesions) for lesions in both)
    old_peak, new_peak = (max((lesion.measured.suv_peak for lesion in lesions), default=0.0) for lesions in both)
    return LesionChange(
        tuple(lesion.number for lesion in before),
        tuple(lesion.number for lesion in after),
        _fate(old_ml, new_ml),
        (old_ml, new_ml),
        (old_peak, new_peak),
        (old_tlg, new_tlg),
    )


def _fate(old_ml: float, new_ml: float) -> Fate:
    if not old_ml:
        return Fate.NEW
    if not new_ml:
        return Fate.GONE
    if abs(new_ml - old_ml) < MIN_VOLUME_CHANGE * old_ml:
        return Fate.STABLE
    return Fate.GROWN if new_ml > old_ml else Fate.SHRUNK
