"""Dates and times of a DICOM series, on the clock of the series."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from typing import TypeVar

from pydicom.dataset import Dataset
from pydicom.valuerep import DA, TM

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom.header import required, tag_name

T = TypeVar("T")


def date_time(header: Dataset, date_keyword: str, time_keyword: str) -> datetime:
    """Return the moment that two tags of a slice tell.

    Raises:
        InputError: a tag is missing or not valid.
    """
    day: date = parsed(DA, required(header, date_keyword), tag_name(date_keyword))
    clock: time = parsed(TM, required(header, time_keyword), tag_name(time_keyword))
    return datetime.combine(day, clock)


def parsed(kind: Callable[[str], T | None], value: object, name: str) -> T:
    """Read the value of a date or time.

    Args:
        kind: DA, TM or DT of pydicom.
        value: as the tag holds it.
        name: of the tag, for messages.

    Raises:
        InputError: the value is empty or not valid.
    """
    try:
        found = kind(str(value))
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{name} of the PET series is not a valid date or time; correct it in the series") from error
    if found is None:
        raise InputError(f"{name} of the PET series is empty; export the original series with all its tags")
    return found


def local(moment: datetime, header: Dataset) -> datetime:
    """Return a date-time on the clock of the series, which carries no offset from UTC itself.

    A date-time with an offset keeps it if the series does not say its own.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=None)
    offset = header.get("TimezoneOffsetFromUTC")
    if not offset:
        return datetime.combine(moment.date(), moment.timetz())
    there = moment.astimezone(parsed(_offset, offset, tag_name("TimezoneOffsetFromUTC")))
    return datetime.combine(there.date(), there.time())


def local_without_offset(moment: datetime, header: Dataset) -> datetime:
    """Return a date-time on the clock of the series; an offset from UTC that the series does not share is dropped."""
    return local(moment, header).replace(tzinfo=None)


def _offset(text: str) -> timezone:
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:4])))
