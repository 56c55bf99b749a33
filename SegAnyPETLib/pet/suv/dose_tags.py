"""Weight, dose and half-life of a PET series from its tags, compared over its slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.injection import Names, check_dose, check_half_life, check_weight
from SegAnyPETLib.pet.nuclides import nuclide_named
from SegAnyPETLib.volume.dicom.header import required, required_number, tag_name
from SegAnyPETLib.volume.notes import Note, NoteKind

#: Tags that say the same in every slice of a series.
SERIES_KEYWORDS = (
    "Units",
    "SUVType",
    "DecayCorrection",
    "PatientSex",
    "PatientWeight",
    "PatientSize",
    "SeriesDate",
    "SeriesTime",
    "TimezoneOffsetFromUTC",
)
DOSE_KEYWORDS = (
    "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStartTime",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
)
#: Doses below are in MBq: in the wild they lie around 4e8 (Bq) or 4e2 (MBq); nobody is injected with 10 kBq.
MAX_DOSE_MBQ = 1e4
#: Weights above are in grams.
MIN_WEIGHT_G = 1000.0
#: Body mass index (kg/m2) below which weight or size is in another unit, or the two are swapped.
MIN_BMI = 8.0
#: The same above.
MAX_BMI = 100.0

TAGS = Names(
    weight=tag_name("PatientWeight"),
    dose=tag_name("RadionuclideTotalDose"),
    half_life=tag_name("RadionuclideHalfLife"),
    times=(
        f"{tag_name('RadiopharmaceuticalStartDateTime')}, {tag_name('RadiopharmaceuticalStartTime')}, "
        f"{tag_name('SeriesDate')}, {tag_name('SeriesTime')}, {tag_name('AcquisitionDate')} and "
        f"{tag_name('AcquisitionTime')}"
    ),
)


def check_alike(headers: Sequence[Dataset]) -> None:
    """Refuse slices that differ in what must be the same in a whole series.

    Raises:
        InputError: with the tag.
    """
    for keyword in SERIES_KEYWORDS:
        if any(header.get(keyword) != headers[0].get(keyword) for header in headers):
            raise _differ(keyword)
    sequence = "RadiopharmaceuticalInformationSequence"
    items = [header.get(sequence) or [] for header in headers]
    if any(len(item) != len(items[0]) for item in items):
        raise _differ(sequence)
    for keyword in DOSE_KEYWORDS:
        for others in zip(*items, strict=True):
            if any(other.get(keyword) != others[0].get(keyword) for other in others):
                raise _differ(keyword)


@dataclass(frozen=True)
class Tagged:
    """A value from a tag.

    Attributes:
        value: in the unit that the reader names.
        notes: doubts about it.
        assumed: what had to be assumed to read it, in a few words.
    """

    value: float
    notes: tuple[Note, ...] = ()
    assumed: tuple[str, ...] = ()


def weight_of(header: Dataset) -> Tagged:
    """Return the weight in kg, with a note if it does not go with the patient's size; above 1000 it is in grams.

    Raises:
        InputError: the weight is missing or cannot be right.
    """
    weight_kg = required_number(header, "PatientWeight")
    assumed: tuple[str, ...] = ()
    if weight_kg > MIN_WEIGHT_G:
        assumed = (f"{TAGS.weight} of {weight_kg:g} is in grams",)
        weight_kg /= 1000.0
    check_weight(weight_kg, TAGS)
    return Tagged(weight_kg, size_notes(header, weight_kg), assumed)


def size_notes(header: Dataset, weight_kg: float) -> tuple[Note, ...]:
    """Return a note if the body mass index of weight and size (m) is that of nobody."""
    if not header.get("PatientSize"):
        return ()
    size_m = required_number(header, "PatientSize")
    if not 0.2 <= size_m <= 2.8 or MIN_BMI <= weight_kg / size_m**2 <= MAX_BMI:  # not a size in metres says nothing
        return ()
    message = (
        f"{TAGS.weight} of {weight_kg:g} kg does not go with {tag_name('PatientSize')} of {size_m:g} m; check both"
    )
    return (Note(NoteKind.WEIGHT, message),)


def dose_of(header: Dataset) -> Tagged:
    """Return the injected dose in Bq; below 10,000 it is in MBq.

    Raises:
        InputError: the dose is missing or cannot be right.
    """
    dose_bq = required_number(dose_item(header), "RadionuclideTotalDose")
    assumed: tuple[str, ...] = ()
    if 0 < dose_bq < MAX_DOSE_MBQ:
        assumed = (f"{TAGS.dose} of {dose_bq:g} is in MBq",)
        dose_bq *= 1e6
    check_dose(dose_bq, TAGS)
    return Tagged(dose_bq, (), assumed)


def half_life_of(header: Dataset) -> Tagged:
    """Return the half-life in seconds, with a note if it is of no known nuclide.

    Raises:
        InputError: the half-life is missing, in another unit or of another nuclide than the one that is named.
    """
    item = dose_item(header)
    half_life_s = required_number(item, "RadionuclideHalfLife")
    codes = item.get("RadionuclideCodeSequence") or []
    nuclide = nuclide_named(str(codes[0].get("CodeMeaning", ""))) if len(codes) == 1 else None
    return Tagged(half_life_s, check_half_life(half_life_s, TAGS, nuclide))


def dose_item(header: Dataset) -> Dataset:
    """Return the one injection that a header describes.

    Raises:
        InputError: the header describes none or several.
    """
    sequence = required(header, "RadiopharmaceuticalInformationSequence")
    if len(sequence) != 1:  # type: ignore[arg-type]
        raise InputError(
            f"{tag_name('RadiopharmaceuticalInformationSequence')} does not hold one injection; correct the tag"
        )
    return sequence[0]  # type: ignore[index]


def _differ(keyword: str) -> InputError:
    return InputError(f"the slices of the PET series differ in {tag_name(keyword)}; give one whole series")
