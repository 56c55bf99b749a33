"""The instant that values are decay-corrected to, from the tags of a PET series.

Values with decay correction START refer to the start of the scan, which no tag states by itself. The Quantitative
Imaging Biomarkers Alliance (QIBA) takes the series time, unless it is after the acquisition, as that of a series
processed later. Then the scanner's private time counts, else the start is computed back from each slice (M. Vacha et
al. 2026, manual for SUV computation of the Image Biomarker Standardisation Initiative, IBSI, oncoray/suv_computation):

    start = acquisition + T_ave - FrameReferenceTime,  T_ave = ln(lT / (1 - exp(-lT))) / l,  l = ln 2 / half-life

where T is ActualFrameDuration. GE counts its FrameReferenceTime to the frame's begin, so that T_ave drops out (the
reference objects DRO_3_2_1 of IBSI; MITK and MIRP do the same). Values without decay correction (NONE) refer, slice by
slice, to acquisition + T_ave.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydicom.dataset import Dataset
from pydicom.valuerep import DT

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.suv.clock import date_time, local_without_offset, parsed
from SegAnyPETLib.pet.suv.decay import SUV_TOLERANCE, mean_decay_s, suv_change
from SegAnyPETLib.volume.dicom.header import (
    GE,
    GE_SCAN_DATETIME,
    SIEMENS,
    SIEMENS_DECAY_DATETIME,
    private_value,
    required_number,
    tag_name,
)
from SegAnyPETLib.volume.notes import Note, NoteKind

#: No scan takes longer; acquisitions farther apart cross midnight without a new date.
MAX_SCAN_S = 6 * 3600.0

#: Private elements that hold the start of the scan: owner, offset, name.
PRIVATE_STARTS = (
    (GE, GE_SCAN_DATETIME, "GE's private scan time (0009,100d)"),
    (SIEMENS, SIEMENS_DECAY_DATETIME, "Siemens' private time of decay correction (0071,1022)"),
)

BY_SERIES = tag_name("SeriesTime")
BY_FRAMES = f"the computation back from {tag_name('FrameReferenceTime')}"
BY_FIRST_ACQUISITION = f"the first {tag_name('AcquisitionTime')}"
BY_EACH_ACQUISITION = f"{tag_name('AcquisitionTime')} and {tag_name('ActualFrameDuration')} of each slice"


@dataclass(frozen=True)
class Way:
    """One way to the instant that values refer to.

    Attributes:
        name: by what, for messages.
        moments: one per slice.
    """

    name: str
    moments: tuple[datetime, ...]


@dataclass(frozen=True)
class ReferenceTime:
    """What values refer to.

    Attributes:
        way: the one that counts.
        others: further ways to the same instant, to compare.
        notes: doubts about it.
        guessed: why the way that counts is a guess, of which the user is told in any case; "" if it is none.
    """

    way: Way
    others: tuple[Way, ...] = ()
    notes: tuple[Note, ...] = ()
    guessed: str = ""


def reference_time(headers: Sequence[Dataset], half_life_s: float) -> ReferenceTime:
    """Return what values with decay correction START or NONE refer to, see the module's description.

    Raises:
        InputError: a date, a time or a frame's duration that is needed is missing or not valid, or the acquisition
            date stands still over midnight.
    """
    acquisitions = tuple(date_time(header, "AcquisitionDate", "AcquisitionTime") for header in headers)
    scan_s = (max(acquisitions) - min(acquisitions)).total_seconds()
    if scan_s > MAX_SCAN_S:
        raise InputError(
            f"the acquisitions of the PET series lie {scan_s / 3600:.1f} h apart; check "
            f"{tag_name('AcquisitionDate')}, which may stand still over midnight"
        )
    if headers[0].DecayCorrection == "NONE":
        return _of_frames(headers, acquisitions, half_life_s)
    return _of_start(headers, acquisitions, half_life_s)


def _of_start(headers: Sequence[Dataset], acquisitions: Sequence[datetime], half_life_s: float) -> ReferenceTime:
    series, earliest = date_time(headers[0], "SeriesDate", "SeriesTime"), min(acquisitions)
    ways = [(BY_SERIES, series)] if series <= earliest else []
    ways += [(name, moment) for name, moment in _private_starts(headers[0]) if moment <= earliest]
    computed = _computed_back(headers, acquisitions, half_life_s)
    ways += [(BY_FRAMES, computed)] if computed is not None else []
    first, *others = [Way(name, (moment,) * len(headers)) for name, moment in (*ways, (BY_FIRST_ACQUISITION, earliest))]
    if len(others) > 1:  # the first acquisition is later than the start where the scan began with other slices
        return ReferenceTime(first, tuple(others[:-1]))
    if others:
        return ReferenceTime(first, tuple(others))
    guessed = (
        f"{BY_SERIES} is after the acquisition and {tag_name('FrameReferenceTime')} does not tell the start of the scan"
    )
    return ReferenceTime(first, (Way(BY_SERIES, (series,) * len(headers)),), guessed=guessed)


def _of_frames(headers: Sequence[Dataset], acquisitions: Sequence[datetime], half_life_s: float) -> ReferenceTime:
    moments = tuple(
        acquisition + timedelta(seconds=mean_decay_s(_frame_s(header), half_life_s))
        for acquisition, header in zip(acquisitions, headers, strict=True)
    )
    found = ReferenceTime(Way(BY_EACH_ACQUISITION, moments))
    offsets_s = [_offset_s(header) for header in headers]
    if not all(offsets_s):
        return found
    starts = [moment - timedelta(seconds=offset_s) for moment, offset_s in zip(moments, offsets_s, strict=True)]
    spread_s = (max(starts) - min(starts)).total_seconds()
    if suv_change(spread_s, half_life_s) <= SUV_TOLERANCE:
        return found
    note = (
        f"{tag_name('AcquisitionTime')} and {tag_name('FrameReferenceTime')} disagree by {spread_s / 60:.1f} min about "
        f"when slices were taken, {100 * suv_change(spread_s, half_life_s):.0f} % of SUV; the former counts, check both"
    )
    return replace(found, notes=(Note(NoteKind.TIMES, note),))


def _private_starts(header: Dataset) -> list[tuple[str, datetime]]:
    found = []
    for owner, offset, name in PRIVATE_STARTS:
        value = private_value(header, owner, offset)
        if value is None:
            continue
        try:
            found.append((name, local_without_offset(parsed(DT, value, name), header)))
        except InputError:  # what a vendor keeps for itself has no form that must be kept
            continue
    return found


def _computed_back(headers: Sequence[Dataset], acquisitions: Sequence[datetime], half_life_s: float) -> datetime | None:
    """Return the start of the scan by its frames; None if the tags do not tell, or the slices contradict each other."""
    to_begin = re.search(r"\bGE\b", str(headers[0].get("Manufacturer") or "").upper()) is not None
    if not all(header.get("FrameReferenceTime") or to_begin for header in headers):
        return None
    references_s = [
        float(required_number(h, "FrameReferenceTime")) / 1000.0 if h.get("FrameReferenceTime") else 0.0
        for h in headers
    ]
    if min(references_s) < 0 or max(references_s) == 0:
        return None
    if to_begin:
        means_s = [0.0] * len(headers)
    elif all(header.get("ActualFrameDuration") for header in headers):
        means_s = [mean_decay_s(_frame_s(header), half_life_s) for header in headers]
    else:
        return None
    starts = sorted(
        acquisition + timedelta(seconds=mean_s - reference_s)
        for acquisition, mean_s, reference_s in zip(acquisitions, means_s, references_s, strict=True)
    )
    # Some scanners write the start of the series as the acquisition time of every bed.
    spread_s = (starts[-1] - starts[0]).total_seconds()
    return None if suv_change(spread_s, half_life_s) > SUV_TOLERANCE else starts[len(starts) // 2]


def _offset_s(header: Dataset) -> float:
    """Return FrameReferenceTime in seconds; 0, which is written for unknown too, where it is missing."""
    return required_number(header, "FrameReferenceTime") / 1000.0 if header.get("FrameReferenceTime") else 0.0


def _frame_s(header: Dataset) -> float:
    frame_s = required_number(header, "ActualFrameDuration") / 1000.0
    if frame_s <= 0:
        raise InputError(f"{tag_name('ActualFrameDuration')} of {frame_s:g} s cannot be right; correct it")
    return frame_s
