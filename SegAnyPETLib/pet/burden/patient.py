"""The quantities of a patient: all lesions together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist

from SegAnyPETLib.pet.burden.lesions import Lesion
from SegAnyPETLib.pet.proposals.frame import BodyFrame, Place

#: Parts of the body by height above the shoulders in mm: each reaches down to the number. They come from where heart,
#: liver and bladder lie in the organ maps (-170, -250, -570 mm) and are as rough as that.
PARTS: tuple[tuple[str, float], ...] = (
    ("head and neck", 0.0),
    ("chest", -220.0),
    ("abdomen", -430.0),
    ("pelvis", -680.0),
    ("legs", -np.inf),
)
UNKNOWN_PART = "unknown"


@dataclass(frozen=True)
class Part:
    """The disease in a part of the body.

    Attributes:
        name: one of `PARTS`, or "unknown".
        lesions: their number.
        mtv_ml: their volume.
        tlg: their total lesion glycolysis.
    """

    name: str
    lesions: int
    mtv_ml: float
    tlg: float


@dataclass(frozen=True)
class Burden:
    """All disease of one scan; SUV in the units of the volume's values.

    Attributes:
        lesions: number of lesions.
        mtv_ml: total metabolic tumour volume.
        tlg: total lesion glycolysis, the sum over lesions of mean times volume.
        suv_max: of all lesions.
        suv_mean: of all their voxels.
        suv_peak: the highest of all lesions, spheres anywhere in them (global).
        suv_peak_local: the highest of the spheres around each lesion's hottest voxel.
        dmax_mm: largest distance between the centres of two lesions; 0 with one lesion (Cottereau et al. 2020, doi
            10.1016/j.annonc.2019.11.013).
        spread_mm: sum of the distances between the centres of all pairs (same source).
        largest_ml: volume of the largest lesion.
        parts: of the body that hold a lesion, from the head down.
    """

    lesions: int
    mtv_ml: float
    tlg: float
    suv_max: float
    suv_mean: float
    suv_peak: float
    suv_peak_local: float
    dmax_mm: float
    spread_mm: float
    largest_ml: float
    parts: tuple[Part, ...]


def burden_of(lesions: Sequence[Lesion], frame: BodyFrame) -> Burden:
    """Sum up lesions, at least one, that do not overlap."""
    measured = [lesion.measured for lesion in lesions]
    mtv_ml, tlg = sum(m.volume_ml for m in measured), sum(m.tlg for m in measured)
    distances_mm = pdist(np.array([lesion.center_ras for lesion in lesions]))
    return Burden(
        lesions=len(lesions),
        mtv_ml=mtv_ml,
        tlg=tlg,
        suv_max=max(m.suv_max for m in measured),
        suv_mean=tlg / mtv_ml,
        suv_peak=max(m.suv_peak for m in measured),
        suv_peak_local=max(lesion.suv_peak_local for lesion in lesions),
        dmax_mm=float(distances_mm.max(initial=0.0)),
        spread_mm=float(distances_mm.sum()),
        largest_ml=max(m.volume_ml for m in measured),
        parts=_parts(lesions, frame),
    )


def part_name(place: Place) -> str:
    """Return the part of the body that a place lies in."""
    height = place.above_shoulders_mm
    if height is None:
        return UNKNOWN_PART
    return next(name for name, lowest in PARTS if height >= lowest)


def _parts(lesions: Sequence[Lesion], frame: BodyFrame) -> tuple[Part, ...]:
    names = [part_name(frame.place(lesion.center_ras)) for lesion in lesions]
    found = []
    for name in (*(name for name, _ in PARTS), UNKNOWN_PART):
        held = [lesion.measured for lesion, part in zip(lesions, names, strict=True) if part == name]
        if held:
            found.append(Part(name, len(held), sum(m.volume_ml for m in held), sum(m.tlg for m in held)))
    return tuple(found)
