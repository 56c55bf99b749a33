"""The tags of a PET slice: what is kept of them, and values that must be there."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
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
    "PatientSex",
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
    "DoseCalibrationFactor",
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
SIEMENS = (0x0071, "SIEMENS MED PT")

#: Offsets in a creator's block: the moment that values are decay-corrected to.
GE_SCAN_DATETIME = 0x0D
SIEMENS_DECAY_DATETIME = 0x22
#: The same of Philips' factors from counts to SUV and to Bq/ml.
PHILIPS_SUV_FACTOR = 0x00
PHILIPS_ACTIVITY_FACTOR = 0x09

#: Private elements that are kept: owner, offsets in the creator's block.
KEPT_PRIVATE = (
    (GE, (GE_SCAN_DATETIME,)),
    (SIEMENS, (SIEMENS_DECAY_DATETIME,)),
    (PHILIPS, (PHILIPS_SUV_FACTOR, PHILIPS_ACTIVITY_FACTOR)),
)
#: First block of private elements, which is the only one in use where its creator's name was lost.
FIRST_BLOCK = 0x10


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
    for owner, offsets in KEPT_PRIVATE:
        for offset in offsets:
            element = _private_element(header, owner, offset)
            if element is None:
                continue
            if lacks_creator(header, owner):
                kept.add_new(element.tag, element.VR, element.value)
            else:
                kept.private_block(*owner, create=True).add_new(offset, element.VR, element.value)
    return kept


def _only(dataset: Dataset, keywords: tuple[str, ...]) -> Dataset:
    kept = Dataset()
    for keyword in keywords:
        if keyword in dataset:
            kept[keyword] = dataset[keyword]
    return kept


def private_value(header: Dataset, owner: tuple[int, str], offset: int) -> object | None:
    """Return the value of a private element, None if it is missing or empty.

    The creator's name is often lost on the way (`lacks_creator`); elements at their usual place then count all the
    same.
    """
    element = _private_element(header, owner, offset)
    if element is None:
        return None
    value = element.value.decode("ascii", "replace") if isinstance(element.value, bytes) else element.value
    value = value.strip("\0 ") if isinstance(value, str) else value
    return value or None


def lacks_creator(header: Dataset, owner: tuple[int, str]) -> bool:
    """Whether nobody is named as the owner of a group's first block of private elements."""
    group, creator = owner
    return creator not in header.private_creators(group) and not header.get((group, FIRST_BLOCK))


def _private_element(header: Dataset, owner: tuple[int, str], offset: int) -> DataElement | None:
    group, creator = owner
    if creator in header.private_creators(group):
        return header.get(header.private_block(group, creator).get_tag(offset))
    if not lacks_creator(header, owner):
        return None
    return header.get((group, (FIRST_BLOCK << 8) + offset))


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
