"""Candidates of a whole scan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.plausibility import BODY_LEVEL
from SegAnyPETLib.pet.proposals.contrast import Contrast, contrast_regions
from SegAnyPETLib.pet.proposals.frame import body_frame
from SegAnyPETLib.pet.proposals.kinds import Appearance, kind_scores
from SegAnyPETLib.pet.proposals.proposal import Candidate, candidate_of, paired_places
from SegAnyPETLib.pet.proposals.regions import Cut, hot_regions
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.units import SUV_UNITS
from SegAnyPETLib.volume.volume import Volume

Tracer = Literal["fdg", "psma"]

#: Smaller regions are noise: a sphere of 7 mm.
MIN_VOLUME_ML = 0.2
#: If more than this share of the body is hot, the threshold finds the body and no lesions.
MAX_HOT_SHARE = 0.4


@dataclass(frozen=True, eq=False)
class Proposal:
    """A candidate lesion that somebody has to accept before it is one.

    Attributes:
        candidate: region and measures.
        disease: 0 to 1, how much place, size, symmetry and uptake look like disease rather than physiology; it sorts,
            it does not diagnose.
        kind: the organ that it looks like most, "lesion" if that is none.
    """

    candidate: Candidate
    disease: float
    kind: str

    @property
    def doubt(self) -> float:
        """1 if it may as well be disease as physiology, 0 if there is no doubt."""
        return 1.0 - 2.0 * abs(self.disease - 0.5)


def propose(
    volume: Volume, cut: Cut | Contrast, tracer: Tracer = "fdg", min_volume_ml: float = MIN_VOLUME_ML
) -> tuple[Proposal, ...]:
    """Find candidate lesions in a whole scan.

    Args:
        volume: the PET in body-weight SUV.
        cut: what is hot, see `criteria.cut_of`.
        tracer: whose physiology is known.
        min_volume_ml: smaller regions are left out.

    Returns:
        Proposals that do not overlap, those that look most like disease first; none if nothing is hot.

    Raises:
        InputError: the values are not known to be SUV, or so much is hot that there is nothing to choose from.
    """
    check_suv_units(volume)
    _check_share(volume, cut)
    regions = regions_of_scan(volume, cut, max(1, round(min_volume_ml / volume.voxel_ml)))
    frame = body_frame(volume)
    candidates = [candidate_of(volume, region, frame) for region in regions]
    candidates = [replace(c, paired=p) for c, p in zip(candidates, paired_places(candidates), strict=True)]
    proposals = []
    for candidate in candidates:
        scores = kind_scores(appearance_of(candidate), tracer)
        proposals.append(Proposal(candidate, scores["lesion"], max(scores, key=lambda kind: scores[kind])))
    return tuple(sorted(proposals, key=lambda proposal: -proposal.disease))


def regions_of_scan(volume: Volume, cut: Cut | Contrast, min_voxels: int) -> list[MaskPatch]:
    """Return the hot regions of a scan in SUV; they do not overlap, and smaller ones are left out."""
    if isinstance(cut, Contrast):
        return contrast_regions(volume, cut, min_voxels)
    return hot_regions(volume.array_kji, cut, min_voxels)


def appearance_of(candidate: Candidate) -> Appearance:
    """Return what the score looks at."""
    return Appearance(
        above_shoulders_mm=candidate.place.above_shoulders_mm,
        left_mm=candidate.place.left_mm,
        anterior_mm=candidate.place.anterior_mm,
        log_volume_ml=float(np.log10(candidate.volume_ml)),
        log_suv_max=float(np.log10(candidate.suv_max)),
        fill=candidate.fill,
        paired=candidate.paired,
    )


def check_suv_units(volume: Volume) -> None:
    """Refuse values that are not known to be SUV: thresholds in SUV mean nothing in them.

    Raises:
        InputError: the units are not those of SUV.
    """
    if volume.units != SUV_UNITS:
        raise InputError(
            "the file does not say that its values are SUV, which thresholds need; add --units suv if they are, or "
            "--units bqml with weight, dose and time"
        )


def _check_share(volume: Volume, cut: Cut | Contrast) -> None:
    array = volume.array_kji
    hot = int(np.count_nonzero(array >= cut.floor))
    body = int(np.count_nonzero(array > BODY_LEVEL * max(float(array.mean(dtype=np.float64)), 0.0)))
    if hot > MAX_HOT_SHARE * body:
        raise InputError(
            f"{100 * hot / max(body, 1):.0f} % of the body lies above {cut.floor:.3g}, so there are no single lesions "
            "to propose; check the units of the scan, or choose a criterion with a higher threshold"
        )
