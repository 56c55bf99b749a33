"""When the dose was given, from the tags of a PET series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydicom.dataset import Dataset
from pydicom.valuerep import DT, TM

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.injection import MAX_UPTAKE_HALF_LIVES
from SegAnyPETLib.pet.suv.clock import local, parsed
from SegAnyPETLib.pet.suv.decay import doubt
from SegAnyPETLib.pet.suv.dose_tags import dose_item
from SegAnyPETLib.volume.dicom.header import required, tag_name
from SegAnyPETLib.volume.notes import Note, NoteKind

#: Length of a DICOM date-time that says the hour: YYYYMMDDHH.
HOUR_DIGITS = 10
#: With a longer half-life patients are scanned days after the injection, and a wrong day is not noticed.
MAX_HALF_LIFE_WITHOUT_DAY_S = 11.5 * 3600.0


@dataclass(frozen=True)
class InjectionTime:
    """When the dose was given.

    Attributes:
        moment: on the clock of the series.
        notes: doubts about it.
        assumed: what had to be assumed.
    """

    moment: datetime
    notes: tuple[Note, ...] = ()
    assumed: tuple[str, ...] = ()


def injection_time(header: Dataset, scan: datetime, half_life_s: float) -> InjectionTime:
    """Return when the dose was given, on the clock of the series, and doubts about it.

    The date-time counts if it says the hour and its offset from UTC, if any, can be brought to the clock of the series;
    else the time, on the day of the scan or, if later than the scan, the day before. Where its date cannot be that of
    this scan, as anonymisers that shift dates leave it, its time counts in the same way (DRO_4_4 of IBSI), with a note.

    Raises:
        InputError: both tags are missing, or one is not valid, only the offset of the series could place it, or the
            half-life is so long that the day of the injection must be known.
    """
    stated = _stated_time(header, scan, half_life_s)
    if half_life_s > MAX_HALF_LIFE_WITHOUT_DAY_S or _plausible(stated.moment, scan, half_life_s):
        return stated
    day_of_scan = datetime.combine(scan.date(), stated.moment.time())
    moved = day_of_scan - timedelta(days=1) if day_of_scan > scan else day_of_scan
    if not _plausible(moved, scan, half_life_s):
        return stated
    message = (
        f"the date of {tag_name('RadiopharmaceuticalStartDateTime')} cannot be that of this scan (anonymised?); its "
        "time on the day of the scan, or the day before, counts; check the dates"
    )
    notes = (*stated.notes, Note(NoteKind.TIMES, message))
    return InjectionTime(moved, notes, ("the injection's date is that of the scan",))


def _plausible(moment: datetime, scan: datetime, half_life_s: float) -> bool:
    return 0 < (scan - moment).total_seconds() <= MAX_UPTAKE_HALF_LIVES * half_life_s


def _stated_time(header: Dataset, scan: datetime, half_life_s: float) -> InjectionTime:
    item = dose_item(header)
    moment = _injection_moment(item, header)
    clock = item.get("RadiopharmaceuticalStartTime")
    if moment is None:
        return _on_day_of(item, scan, half_life_s)
    if not clock:
        if moment.tzinfo is not None:
            raise InputError(
                f"{tag_name('RadiopharmaceuticalStartDateTime')} has an offset from UTC, but the series has none "
                f"({tag_name('TimezoneOffsetFromUTC')}); correct the tags"
            )
        return InjectionTime(moment)
    naive = moment.replace(tzinfo=None)
    by_clock = _nearest_at(item, naive)
    difference_s = abs((naive - by_clock).total_seconds())
    names = f"{tag_name('RadiopharmaceuticalStartDateTime')} and {tag_name('RadiopharmaceuticalStartTime')}"
    if moment.tzinfo is None:
        message = f"{names} differ; the date-time counts, check both"
        return InjectionTime(naive, doubt(difference_s, half_life_s, message))
    message = (
        f"{names} differ by an offset from UTC that the series does not have ({tag_name('TimezoneOffsetFromUTC')}); "
        "the time counts, check both"
    )
    return InjectionTime(by_clock, doubt(difference_s, half_life_s, message))


def _injection_moment(item: Dataset, header: Dataset) -> datetime | None:
    """Return the injection's date-time on the series' clock; with its offset if the series has none; None without."""
    keyword = "RadiopharmaceuticalStartDateTime"
    value = item.get(keyword)
    if not value:
        return None
    found = parsed(DT, value, tag_name(keyword))
    text = str(value).strip()
    digits = len(text) - len(text.lstrip("0123456789"))
    return local(found, header) if digits >= HOUR_DIGITS else None


def _on_day_of(item: Dataset, scan: datetime, half_life_s: float) -> InjectionTime:
    keyword = "RadiopharmaceuticalStartTime"
    moment = datetime.combine(scan.date(), parsed(TM, required(item, keyword), tag_name(keyword)))
    if half_life_s > MAX_HALF_LIFE_WITHOUT_DAY_S:
        raise InputError(
            f"the PET series lacks {tag_name('RadiopharmaceuticalStartDateTime')}, and a half-life of "
            f"{half_life_s / 3600:.0f} h leaves the day of the injection open; add the tag"
        )
    if moment <= scan:
        return InjectionTime(moment)
    return InjectionTime(moment - timedelta(days=1), (), ("injection the day before the scan",))


def _nearest_at(item: Dataset, moment: datetime) -> datetime:
    """Return the moment nearest to another at which the clock shows the injection's time."""
    keyword = "RadiopharmaceuticalStartTime"
    same_day = datetime.combine(moment.date(), parsed(TM, item.get(keyword), tag_name(keyword)))
    return min((same_day + timedelta(days=days) for days in (-1, 0, 1)), key=lambda each: abs(each - moment))
