"""The tags of a PET slice: what is kept of them, and values that must be there."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError

#: What is kept of a header: geometry and all that SUV needs, no identifier of the patient, the study or the series.
KEPT_KEYWORDS = (
    "Modality",
    "Manufacturer",
    "SeriesDate",
    "SeriesTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "TimezoneOffsetFromUTC",
    "PatientWeight",
    "PatientSize",
    "FrameReferenceTime",
    "ActualFrameDuration",
    "DecayFactor",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "NumberOfSlices",
    "RescaleSlope",
    "RescaleIntercept",
    "Units",
    "SUVType",
    "CorrectedImage",
    "DecayCorrection",
)
KEPT_DOSE_KEYWORDS = (
    "RadiopharmaceuticalStartTime",
    "RadiopharmaceuticalStartDateTime",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
)
KEPT_CODE_KEYWORDS = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")

#: Owners of private elements: group and creator.
PHILIPS = (0x7053, "Philips PET Private Group")
GE = (0x0009, "GEMS_PETD_01")
GE_SCAN_DATETIME = 0x0D

#: Private elements that are kept: owner, offsets in the creator's block.
KEPT_PRIVATE = ((GE, (GE_SCAN_DATETIME,)), (PHILIPS, (0x00, 0x09)))


def without_identifiers(header: Dataset) -> Dataset:
    """Copy only what is needed of a header, see `KEPT_KEYWORDS`."""
    kept = _only(header, KEPT_KEYWORDS)
    doses = []
    for item in header.get("RadiopharmaceuticalInformationSequence") or []:
        dose = _only(item, KEPT_DOSE_KEYWORDS)
        codes = item.get("RadionuclideCodeSequence")
        if codes:
            dose.RadionuclideCodeSequence = [_only(code, KEPT_CODE_KEYWORDS) for code in codes]
        doses.append(dose)
    if doses:
        kept.RadiopharmaceuticalInformationSequence = doses
    for (group, creator), offsets in KEPT_PRIVATE:
        if creator in header.private_creators(group):
            block = header.private_block(group, creator)
            kept_block = kept.private_block(group, creator, create=True)
            for offset in offsets:
                if offset in block:
                    kept_block.add_new(offset, block[offset].VR, block[offset].value)
    return kept


def _only(dataset: Dataset, keywords: tuple[str, ...]) -> Dataset:
    kept = Dataset()
    for keyword in keywords:
        if keyword in dataset:
            kept[keyword] = dataset[keyword]
    return kept


def private_value(header: Dataset, owner: tuple[int, str], offset: int) -> object | None:
    """Return the value of a private element, None if it is missing or empty."""
    group, creator = owner
    if creator not in header.private_creators(group):
        return None
    block = header.private_block(group, creator)
    return (block[offset].value or None) if offset in block else None


def private_number(header: Dataset, owner: tuple[int, str], offset: int) -> float:
    """Return a private scale factor; 0 if it is missing, empty or cannot be a factor.

    Raises:
        InputError: the value is not a number.
    """
    value = private_value(header, owner, offset)
    try:
        number = float(value) if value is not None else 0.0  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"({owner[0]:04x},10{offset:02x}) of the PET series is not a number; export the series again"
        ) from error
    return number if np.isfinite(number) and number > 0 else 0.0


def required(header: Dataset, keyword: str) -> object:
    """Return the value of a tag.

    Raises:
        InputError: the tag is missing or empty.
    """
    value = header.get(keyword)
    if value is None or (isinstance(value, Sized) and len(value) == 0):
        raise InputError(f"the PET series lacks {tag_name(keyword)}; export the original series with all its tags")
    return value


def required_number(header: Dataset, keyword: str) -> float:
    """Return the value of a tag as a finite number.

    Raises:
        InputError: the tag is missing, empty or not a number.
    """
    value = required(header, keyword)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InputError(f"{tag_name(keyword)} of the PET series is not a number; export the series again") from error
    if not np.isfinite(number):
        raise InputError(f"{tag_name(keyword)} of the PET series is not finite; export the series again")
    return number


def required_numbers(header: Dataset, keyword: str, count: int) -> NDArray:
    """Return the values of a tag with several finite numbers.

    Raises:
        InputError: the tag is missing, empty, or does not hold so many finite numbers.
    """
    value = required(header, keyword)
    try:
        numbers = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{tag_name(keyword)} of the PET series holds no numbers; export the series again") from error
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise InputError(
            f"{tag_name(keyword)} of the PET series does not hold {count} numbers; export the series again"
        )
    return numbers


def tag_name(keyword: str) -> str:
    """Return a tag's keyword and number, for messages."""
    tag = pydicom.tag.Tag(keyword)
    return f"{keyword} ({tag.group:04x},{tag.element:04x})"
