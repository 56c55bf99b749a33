"""Body-weight SUV from the tags of a DICOM PET series.

Follows the vendor-neutral pseudo-code for SUV of the Quantitative Imaging Biomarkers Alliance (QIBA, FDG-PET/CT
Biomarker Committee, https://qibawiki.rsna.org/index.php/Standardized_Uptake_Value_(SUV)):

    SUVbw = value [Bq/ml] * weight [g] / (injected dose [Bq] * 2 ** (-decay time / half-life))

where the decay time runs from the injection to the time that the values are decay-corrected to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.valuerep import DA, DT, TM

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom_header import required, required_number, tag_name

#: Corrections without which values are no activity concentration (DICOM PS3.3, C.8.9.1, CorrectedImage).
NEEDED_CORRECTIONS = ("ATTN", "DECY")
#: No patient weighs more; a larger value is in another unit than kilograms.
MAX_WEIGHT_KG = 650.0
#: Nobody images less; a smaller value is in another unit than becquerels (vendors and anonymisers write MBq).
MIN_DOSE_BQ = 1e5
#: After this many half-lives 0.4 % of the dose is left: the times must be wrong.
MAX_UPTAKE_HALF_LIVES = 8.0

PHILIPS = (0x7053, "Philips PET Private Group")
PHILIPS_SUV_FACTOR = 0x00
PHILIPS_ACTIVITY_FACTOR = 0x09
GE = (0x0009, "GEMS_PETD_01")
GE_SCAN_DATETIME = 0x0D

T = TypeVar("T")


def suv_factors(headers: Sequence[Dataset]) -> NDArray[np.float64]:
    """Factors that turn the rescaled values of each slice into body-weight SUV (g/ml).

    Args:
        headers: one per slice of one series, as `SegAnyPETLib.volume.dicom.read_series` returns them.

    Returns:
        One factor per slice, in the order of the headers.

    Raises:
        InputError: a tag is missing (the message names it) or its value cannot be right, or the values cannot be
            converted: not corrected for decay or attenuation, other units, SUV of another type.
    """
    for keyword in ("Units", "DecayCorrection", "PatientWeight"):
        if any(header.get(keyword) != headers[0].get(keyword) for header in headers):
            raise InputError(f"the slices of the PET series differ in {tag_name(keyword)}; give one whole series")
    units = str(required(headers[0], "Units"))
    if units == "GML":
        return np.array([_grams_per_ml(header) for header in headers])
    if units not in ("BQML", "CNTS"):
        raise InputError(f"{tag_name('Units')} {units} cannot be converted to SUV; export in BQML or GML")
    _check_corrections(headers)
    if units == "BQML":
        return np.full(len(headers), _factor_per_bqml(headers))
    return _philips_factors(headers)


def uptake_seconds(headers: Sequence[Dataset]) -> float:
    """Time from the injection to the start of the scan, to which values with decay correction START refer.

    Raises:
        InputError: a date or time is missing or cannot be right.
    """
    scan = scan_start(headers)
    injection = injection_time(headers[0], scan)
    seconds = (scan - injection).total_seconds()
    half_life = _dose_number(headers[0], "RadionuclideHalfLife")
    if not 0 <= seconds <= MAX_UPTAKE_HALF_LIVES * half_life:
        raise InputError(
            f"the injection would lie {seconds / 3600:.1f} h before the scan; check RadiopharmaceuticalStartDateTime "
            "(0018,1078), RadiopharmaceuticalStartTime (0018,1072) and the times of series and acquisition"
        )
    return seconds


def scan_start(headers: Sequence[Dataset]) -> datetime:
    """When the scan started, after QIBA: the series time unless it is after the acquisition.

    A series time after the first acquisition is that of a later processing. Then GE's private scan time counts, else
    the earliest acquisition of all slices.

    Raises:
        InputError: a date or time is missing or not valid.
    """
    series = _date_time(headers[0], "SeriesDate", "SeriesTime")
    acquisition = min(_date_time(header, "AcquisitionDate", "AcquisitionTime") for header in headers)
    if series <= acquisition:
        return series
    private = _private(headers[0], GE, GE_SCAN_DATETIME)
    return acquisition if private is None else _local(_parse(DT, private, "(0009,100d)"), headers[0])


def injection_time(header: Dataset, scan: datetime) -> datetime:
    """When the dose was given: at the date-time; else at the time, on the day of the scan or, if later, the day before.

    Raises:
        InputError: both tags are missing, or one is not valid.
    """
    dose = _dose(header)
    start = dose.get("RadiopharmaceuticalStartDateTime")
    if start:
        return _local(_parse(DT, start, tag_name("RadiopharmaceuticalStartDateTime")), header)
    keyword = "RadiopharmaceuticalStartTime"
    injection = datetime.combine(scan.date(), _parse(TM, required(dose, keyword), tag_name(keyword)))
    return injection - timedelta(days=1) if injection > scan else injection


def _grams_per_ml(header: Dataset) -> float:
    """Values in g/ml are SUV; of body weight where SUVType says so or is absent (DICOM PS3.3, C.8.9.1)."""
    kind = header.get("SUVType") or "BW"
    if kind != "BW":
        raise InputError(f"the PET holds SUV of type {kind}, {tag_name('SUVType')}; export body-weight SUV or BQML")
    return 1.0


def _check_corrections(headers: Sequence[Dataset]) -> None:
    for header in headers:
        value = required(header, "CorrectedImage")
        corrections = [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]
        for needed in NEEDED_CORRECTIONS:
            if needed not in corrections:
                raise InputError(
                    f"the PET is not corrected for {needed} ({tag_name('CorrectedImage')}); export the corrected series"
                )
    correction = required(headers[0], "DecayCorrection")
    if correction not in ("START", "ADMIN"):
        raise InputError(
            f"the decay correction {correction} of {tag_name('DecayCorrection')} gives no SUV; export a series "
            "corrected to START or ADMIN"
        )


def _factor_per_bqml(headers: Sequence[Dataset]) -> float:
    header = headers[0]
    weight_kg = required_number(header, "PatientWeight")
    if not 0 < weight_kg <= MAX_WEIGHT_KG:
        raise InputError(f"{tag_name('PatientWeight')} of {weight_kg:g} kg cannot be right; correct it in the series")
    dose_bq = _dose_number(header, "RadionuclideTotalDose")
    if dose_bq < MIN_DOSE_BQ:
        raise InputError(
            f"{tag_name('RadionuclideTotalDose')} of {dose_bq:g} Bq cannot be right; correct it in the series, in Bq"
        )
    if header.DecayCorrection == "START":
        dose_bq *= 2.0 ** (-uptake_seconds(headers) / _dose_number(header, "RadionuclideHalfLife"))
    return weight_kg * 1000.0 / dose_bq


def _philips_factors(headers: Sequence[Dataset]) -> NDArray[np.float64]:
    """Counts of Philips: a private factor to SUV, or one to Bq/ml."""
    to_suv = [_private_number(header, PHILIPS_SUV_FACTOR) for header in headers]
    if all(to_suv):
        return np.array(to_suv)
    to_bqml = [_private_number(header, PHILIPS_ACTIVITY_FACTOR) for header in headers]
    if all(to_bqml):
        return np.array(to_bqml) * _factor_per_bqml(headers)
    raise InputError(
        "the PET is in counts and lacks Philips' SUV scale factor (7053,1000) and activity concentration scale factor "
        "(7053,1009); export it in BQML or with its private tags"
    )


def _private(header: Dataset, owner: tuple[int, str], offset: int) -> object | None:
    """The value of a private element, None where it is missing or empty."""
    group, creator = owner
    if creator not in header.private_creators(group):
        return None
    block = header.private_block(group, creator)
    return (block[offset].value or None) if offset in block else None


def _private_number(header: Dataset, offset: int) -> float:
    """A private scale factor of Philips; 0 where it is missing, empty or of no use."""
    value = _private(header, PHILIPS, offset)
    try:
        number = float(value) if value is not None else 0.0  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InputError(f"(7053,10{offset:02x}) of the PET series is no number; export the series again") from error
    return number if np.isfinite(number) and number > 0 else 0.0


def _dose(header: Dataset) -> Dataset:
    sequence = required(header, "RadiopharmaceuticalInformationSequence")
    if len(sequence) != 1:  # type: ignore[arg-type]
        raise InputError(
            f"{tag_name('RadiopharmaceuticalInformationSequence')} does not hold one injection; correct the tag"
        )
    return sequence[0]  # type: ignore[index]


def _dose_number(header: Dataset, keyword: str) -> float:
    number = required_number(_dose(header), keyword)
    if number <= 0:
        raise InputError(f"{tag_name(keyword)} of {number:g} cannot be right; correct it in the series")
    return number


def _date_time(header: Dataset, date_keyword: str, time_keyword: str) -> datetime:
    day: date = _parse(DA, required(header, date_keyword), tag_name(date_keyword))
    clock: time = _parse(TM, required(header, time_keyword), tag_name(time_keyword))
    return datetime.combine(day, clock)


def _parse(kind: Callable[[str], T | None], value: object, name: str) -> T:
    try:
        parsed = kind(str(value))
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} of the PET series is no valid date or time; correct it in the series") from error
    if parsed is None:
        raise InputError(f"{name} of the PET series is empty; export the original series with all its tags")
    return parsed


def _local(moment: datetime, header: Dataset) -> datetime:
    """A date-time on the clock of the series' own dates and times, which carry no offset from UTC themselves."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=None)
    offset = header.get("TimezoneOffsetFromUTC")
    if offset:
        moment = moment.astimezone(_parse(_offset, offset, tag_name("TimezoneOffsetFromUTC")))
    return moment.replace(tzinfo=None)


def _offset(text: str) -> timezone:
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:4])))
