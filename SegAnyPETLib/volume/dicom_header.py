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
#: Private elements that are kept: group, creator, offsets in the creator's block.
KEPT_PRIVATE = ((0x0009, "GEMS_PETD_01", (0x0D,)), (0x7053, "Philips PET Private Group", (0x00, 0x09)))


def without_identifiers(header: Dataset) -> Dataset:
    """A copy of a header with only what is needed, see `KEPT_KEYWORDS`."""
    kept = Dataset()
    for keyword in KEPT_KEYWORDS:
        if keyword in header:
            kept[keyword] = header[keyword]
    doses = []
    for item in header.get("RadiopharmaceuticalInformationSequence") or []:
        dose = Dataset()
        for keyword in KEPT_DOSE_KEYWORDS:
            if keyword in item:
                dose[keyword] = item[keyword]
        doses.append(dose)
    if doses:
        kept.RadiopharmaceuticalInformationSequence = doses
    for group, creator, offsets in KEPT_PRIVATE:
        if creator in header.private_creators(group):
            block = header.private_block(group, creator)
            kept_block = kept.private_block(group, creator, create=True)
            for offset in offsets:
                if offset in block:
                    kept_block.add_new(offset, block[offset].VR, block[offset].value)
    return kept


def required(header: Dataset, keyword: str) -> object:
    """The value of a tag.

    Raises:
        InputError: the tag is missing or empty.
    """
    value = header.get(keyword)
    if value is None or (isinstance(value, Sized) and len(value) == 0):
        raise InputError(f"the PET series lacks {tag_name(keyword)}; export the original series with all its tags")
    return value


def required_number(header: Dataset, keyword: str) -> float:
    """The value of a tag as a finite number.

    Raises:
        InputError: the tag is missing, empty or no number.
    """
    value = required(header, keyword)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InputError(f"{tag_name(keyword)} of the PET series is no number; export the series again") from error
    if not np.isfinite(number):
        raise InputError(f"{tag_name(keyword)} of the PET series is not finite; export the series again")
    return number


def required_numbers(header: Dataset, keyword: str, count: int) -> NDArray:
    """The values of a tag with several finite numbers.

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
    """A tag's keyword and number, for messages."""
    tag = pydicom.tag.Tag(keyword)
    return f"{keyword} ({tag.group:04x},{tag.element:04x})"
