"""From the injection to the instant that values are decay-corrected to, from the tags of a PET series.

Values with decay correction START refer to the start of the scan. The Quantitative Imaging Biomarkers Alliance (QIBA)
takes the series time, unless it is after the acquisition, as that of a series processed later. Then GE's private scan
time counts, else the start is computed back from each slice (M. Vacha et al. 2026, manual for SUV computation of the
Image Biomarker Standardisation Initiative, oncoray/suv_computation):

    start = acquisition + T_ave - FrameReferenceTime,  T_ave = ln(lT / (1 - exp(-lT))) / l,  l = ln 2 / half-life

where T is ActualFrameDuration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.valuerep import DA, DT, TM

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.dose_tags import TAGS, dose_item, half_life_of
from SegAnyPETLib.pet.injection import check_uptake
from SegAnyPETLib.volume.dicom.header import GE, GE_SCAN_DATETIME, private_value, required, required_number, tag_name
from SegAnyPETLib.volume.notes import Note, NoteKind

#: Two ways to a time that change SUV by less than this are as good as one.
SUV_TOLERANCE = 0.02
#: No scan takes longer; acquisitions farther apart cross midnight without a new date.
MAX_SCAN_S = 6 * 3600.0
#: Length of a DICOM date-time that says the hour: YYYYMMDDHH.
HOUR_DIGITS = 10

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Uptake:
    """Time from the injection to what values are decay-corrected to.

    Attributes:
        seconds: one per slice.
        half_life_s: of the nuclide.
        notes: doubts about the times or the half-life.
    """

    seconds: NDArray[np.float64]
    half_life_s: float
    notes: tuple[Note, ...] = ()

    @property
    def decay(self) -> NDArray[np.float64]:
        """Share of the injected dose that is left, one per slice."""
        return np.exp2(-self.seconds / self.half_life_s)


@dataclass(frozen=True)
class Start:
    """What values with decay correction START refer to.

    Attributes:
        moments: one per slice.
        notes: doubts about them.
    """

    moments: tuple[datetime, ...]
    notes: tuple[Note, ...] = ()


def uptake(headers: Sequence[Dataset]) -> Uptake:
    """Return the time from the injection to the start of the scan.

    Args:
        headers: one per slice, alike in all that belongs to the series.

    Raises:
        InputError: a date, a time or the half-life is missing or cannot be right.
    """
    half_life_s, notes = half_life_of(headers[0])
    start = scan_start(headers, half_life_s)
    first = min(start.moments)
    injection, doubts = injection_time(headers[0], first, half_life_s)
    seconds = np.array([(moment - injection).total_seconds() for moment in start.moments])
    short = check_uptake(float(seconds.min()), half_life_s, TAGS)
    if not short:
        check_uptake(float(seconds.max()), half_life_s, TAGS)
    return Uptake(seconds, half_life_s, (*notes, *start.notes, *doubts, *short))


def scan_start(headers: Sequence[Dataset], half_life_s: float) -> Start:
    """Return when the scan started, see the module's description.

    Raises:
        InputError: a date or time is missing or not valid, or the acquisition date stands still over midnight.
    """
    series = _date_time(headers[0], "SeriesDate", "SeriesTime")
    acquisitions = [_date_time(header, "AcquisitionDate", "AcquisitionTime") for header in headers]
    earliest = min(acquisitions)
    if (max(acquisitions) - earliest).total_seconds() > MAX_SCAN_S:
        raise InputError(
            f"the acquisitions of the PET series lie {(max(acquisitions) - earliest).total_seconds() / 3600:.1f} h "
            f"apart; check {tag_name('AcquisitionDate')}, which may stand still over midnight"
        )
    computed = _computed_back(headers, acquisitions, half_life_s)
    if series <= earliest:
        witnesses = [earliest, *(computed or ())[:1]]
        gap_s = min(abs((witness - series).total_seconds()) for witness in witnesses)
        doubts = _doubt(
            gap_s,
            half_life_s,
            f"{tag_name('SeriesTime')}, which counts as the start of the scan, is {gap_s / 60:.0f} min before the "
            f"first {tag_name('AcquisitionTime')}; check whether the scan started then",
        )
        return Start((series,) * len(headers), doubts)
    private = private_value(headers[0], GE, GE_SCAN_DATETIME)
    if private is not None:
        return Start((_local_start(_parse(DT, private, "(0009,100d)"), headers[0]),) * len(headers))
    if computed is not None:
        gap_s = max(abs((moment - earliest).total_seconds()) for moment in computed)
        doubts = _doubt(
            gap_s,
            half_life_s,
            f"the start of the scan was computed back from {tag_name('FrameReferenceTime')}, {gap_s / 60:.0f} min from "
            f"the first {tag_name('AcquisitionTime')}, since {tag_name('SeriesTime')} is later; check the times",
        )
        return Start(computed, doubts)
    note = (
        f"{tag_name('SeriesTime')} is after the acquisition and {tag_name('FrameReferenceTime')} does not tell the "
        f"start of the scan; the first {tag_name('AcquisitionTime')} counts"
    )
    return Start((earliest,) * len(headers), (Note(NoteKind.TIMES, note),))


def injection_time(header: Dataset, scan: datetime, half_life_s: float) -> tuple[datetime, tuple[Note, ...]]:
    """Return when the dose was given, on the clock of the series, and doubts about it.

    The date-time counts if it says the hour and its offset from UTC, if any, can be brought to the clock of the series;
    else the time, on the day of the scan or, if later than the scan, the day before.

    Raises:
        InputError: both tags are missing, or one is not valid, or only the offset of the series could place it.
    """
    item = dose_item(header)
    moment = _injection_moment(item, header)
    clock = item.get("RadiopharmaceuticalStartTime")
    if moment is None:
        return _on_day_of(item, scan), ()
    if not clock:
        if moment.tzinfo is not None:
            raise InputError(
                f"{tag_name('RadiopharmaceuticalStartDateTime')} has an offset from UTC, but the series has none "
                f"({tag_name('TimezoneOffsetFromUTC')}); correct the tags"
            )
        return moment, ()
    naive = moment.replace(tzinfo=None)
    by_clock = _nearest_at(item, naive)
    difference_s = abs((naive - by_clock).total_seconds())
    names = f"{tag_name('RadiopharmaceuticalStartDateTime')} and {tag_name('RadiopharmaceuticalStartTime')}"
    if moment.tzinfo is None:
        return naive, _doubt(difference_s, half_life_s, f"{names} differ; the date-time counts, check both")
    return by_clock, _doubt(
        difference_s,
        half_life_s,
        f"{names} differ by an offset from UTC that the series does not have ({tag_name('TimezoneOffsetFromUTC')}); "
        "the time counts, check both",
    )


def _injection_moment(item: Dataset, header: Dataset) -> datetime | None:
    """Return the injection's date-time on the series' clock; with its offset if the series has none; None without."""
    keyword = "RadiopharmaceuticalStartDateTime"
    value = item.get(keyword)
    if not value:
        return None
    parsed = _parse(DT, value, tag_name(keyword))
    text = str(value).strip()
    digits = len(text) - len(text.lstrip("0123456789"))
    return _local(parsed, header) if digits >= HOUR_DIGITS else None


def _on_day_of(item: Dataset, scan: datetime) -> datetime:
    keyword = "RadiopharmaceuticalStartTime"
    moment = datetime.combine(scan.date(), _parse(TM, required(item, keyword), tag_name(keyword)))
    return moment - timedelta(days=1) if moment > scan else moment


def _nearest_at(item: Dataset, moment: datetime) -> datetime:
    """Return the moment nearest to another at which the clock shows the injection's time."""
    keyword = "RadiopharmaceuticalStartTime"
    same_day = datetime.combine(moment.date(), _parse(TM, item.get(keyword), tag_name(keyword)))
    return min((same_day + timedelta(days=days) for days in (-1, 0, 1)), key=lambda each: abs(each - moment))


def _computed_back(
    headers: Sequence[Dataset], acquisitions: Sequence[datetime], half_life_s: float
) -> tuple[datetime, ...] | None:
    """Return the start of the scan by each slice; None if the tags do not tell, or the slices contradict each other."""
    starts = []
    for header, acquisition in zip(headers, acquisitions, strict=True):
        if not header.get("FrameReferenceTime") or not header.get("ActualFrameDuration"):
            return None
        reference_s = required_number(header, "FrameReferenceTime") / 1000.0
        frame_s = required_number(header, "ActualFrameDuration") / 1000.0
        if min(reference_s, frame_s) <= 0:
            return None
        starts.append(acquisition + timedelta(seconds=mean_decay_s(frame_s, half_life_s) - reference_s))
    # Some scanners write the start of the series as the acquisition time of every bed.
    spread_s = (max(starts) - min(starts)).total_seconds()
    return None if _suv_change(spread_s, half_life_s) > SUV_TOLERANCE else tuple(starts)


def mean_decay_s(frame_s: float, half_life_s: float) -> float:
    """Return the time into a frame at which the activity equals its mean over the frame, in seconds."""
    rate = np.log(2.0) / half_life_s
    return float(np.log(rate * frame_s / -np.expm1(-rate * frame_s)) / rate)


def _suv_change(seconds: float, half_life_s: float) -> float:
    return float(np.exp2(abs(seconds) / half_life_s)) - 1.0


def _doubt(seconds: float, half_life_s: float, message: str) -> tuple[Note, ...]:
    """Return a note if so many seconds change SUV noticeably."""
    change = _suv_change(min(seconds, 100 * half_life_s), half_life_s)
    return (Note(NoteKind.TIMES, message),) if change > SUV_TOLERANCE else ()


def _date_time(header: Dataset, date_keyword: str, time_keyword: str) -> datetime:
    day: date = _parse(DA, required(header, date_keyword), tag_name(date_keyword))
    clock: time = _parse(TM, required(header, time_keyword), tag_name(time_keyword))
    return datetime.combine(day, clock)


def _parse(kind: Callable[[str], T | None], value: object, name: str) -> T:
    try:
        parsed = kind(str(value))
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{name} of the PET series is not a valid date or time; correct it in the series") from error
    if parsed is None:
        raise InputError(f"{name} of the PET series is empty; export the original series with all its tags")
    return parsed


def _local(moment: datetime, header: Dataset) -> datetime:
    """Return a date-time on the clock of the series, which carries no offset from UTC itself.

    A date-time with an offset keeps it if the series does not say its own.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=None)
    offset = header.get("TimezoneOffsetFromUTC")
    if not offset:
        return datetime.combine(moment.date(), moment.timetz())
    local = moment.astimezone(_parse(_offset, offset, tag_name("TimezoneOffsetFromUTC")))
    return datetime.combine(local.date(), local.time())


def _local_start(moment: datetime, header: Dataset) -> datetime:
    return _local(moment, header).replace(tzinfo=None)


def _offset(text: str) -> timezone:
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:4])))
