"""Body-weight SUV from the tags of a DICOM PET series.

Follows the vendor-neutral pseudo-code for SUV of the Quantitative Imaging Biomarkers Alliance (QIBA, FDG-PET/CT
Biomarker Committee, https://qibawiki.rsna.org/index.php/Standardized_Uptake_Value_(SUV)):

    SUVbw = value [Bq/ml] * weight [g] / (injected dose [Bq] * 2 ** (-decay time / half-life))

where the decay time runs from the injection to the time that the values are decay-corrected to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.dose_tags import check_alike, dose_of, weight_of
from SegAnyPETLib.pet.scan_times import SUV_TOLERANCE, Uptake, uptake
from SegAnyPETLib.volume.dicom.header import PHILIPS, private_number, required, required_number, tag_name
from SegAnyPETLib.volume.notes import Note, NoteKind

#: Corrections without which values are not an activity concentration (DICOM PS3.3, C.8.9.1, CorrectedImage).
NEEDED_CORRECTIONS = ("ATTN", "DECY")

PHILIPS_SUV_FACTOR = 0x00
PHILIPS_ACTIVITY_FACTOR = 0x09


@dataclass(frozen=True, eq=False)
class SuvFactors:
    """What turns the rescaled values of a series into body-weight SUV (g/ml).

    Attributes:
        per_slice: one factor per slice, in the order of the headers.
        notes: doubts about the tags.
        weight_kg: the patient's weight; None if the series does not need it and does not say it.
    """

    per_slice: NDArray[np.float64]
    notes: tuple[Note, ...] = ()
    weight_kg: float | None = None


def suv_factors(headers: Sequence[Dataset]) -> SuvFactors:
    """Compute the factors that turn the rescaled values of each slice into body-weight SUV.

    Args:
        headers: one per slice of one series, as `SegAnyPETLib.volume.dicom.series.read_series` returns them.

    Raises:
        InputError: a tag is missing (the message names it) or its value cannot be right, slices differ in what belongs
            to the series, or the values cannot be converted: not corrected for decay or attenuation, other units, SUV
            of another type.
    """
    check_alike(headers)
    units = str(required(headers[0], "Units"))
    if units == "GML":
        _check_suv_type(headers[0])
        return _stated(headers, np.ones(len(headers)))
    if units not in ("BQML", "CNTS"):
        raise InputError(f"{tag_name('Units')} {units} cannot be converted to SUV; export in BQML or GML")
    _check_corrections(headers)
    return _from_activity(headers) if units == "BQML" else _from_counts(headers)


def _check_suv_type(header: Dataset) -> None:
    """Refuse SUV of another type than of body weight, which an absent SUVType means too (PS3.3, C.8.9.1)."""
    kind = header.get("SUVType") or "BW"
    if kind != "BW":
        raise InputError(f"the PET holds SUV of type {kind}, {tag_name('SUVType')}; export body-weight SUV or BQML")


def _stated(headers: Sequence[Dataset], factors: NDArray[np.float64]) -> SuvFactors:
    """Factors that do not need the patient's weight, with the weight if it is there and can be right."""
    intercept = _intercept_notes(headers)
    if not headers[0].get("PatientWeight"):
        return SuvFactors(factors, intercept)
    try:
        weight_kg, notes = weight_of(headers[0])
    except InputError as error:
        return SuvFactors(factors, (Note(NoteKind.WEIGHT, f"{error} (SUV did not need it)"), *intercept))
    return SuvFactors(factors, (*notes, *intercept), weight_kg)


def _check_corrections(headers: Sequence[Dataset]) -> None:
    for header in headers:
        value = required(header, "CorrectedImage")
        parts = [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]
        # Some exporters separate the values by commas, or write them in small letters.
        corrections = {word.upper() for part in parts for word in re.split(r"[\\,;\s]+", str(part))}
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


def _from_activity(headers: Sequence[Dataset]) -> SuvFactors:
    """Factors of values in Bq/ml."""
    weight_kg, notes = weight_of(headers[0])
    dose_bq = dose_of(headers[0])
    if headers[0].DecayCorrection == "START":
        taken = uptake(headers)
        left_bq = dose_bq * taken.decay
        notes = (*notes, *taken.notes, *_decay_factor_notes(headers, taken))
    else:
        left_bq = np.full(len(headers), dose_bq)
        notes = (*notes, *_admin_notes(headers))
    return SuvFactors(weight_kg * 1000.0 / left_bq, (*notes, *_intercept_notes(headers)), weight_kg)


def _from_counts(headers: Sequence[Dataset]) -> SuvFactors:
    """Factors of Philips' counts: a private factor to SUV, or one to Bq/ml."""
    to_suv = np.array([private_number(header, PHILIPS, PHILIPS_SUV_FACTOR) for header in headers])
    to_bqml = np.array([private_number(header, PHILIPS, PHILIPS_ACTIVITY_FACTOR) for header in headers])
    if to_suv.all():
        stated = _stated(headers, to_suv)
        return SuvFactors(to_suv, (*stated.notes, *_disagreement(headers, to_suv, to_bqml)), stated.weight_kg)
    if to_bqml.all():
        by_tags = _from_activity(headers)
        return SuvFactors(to_bqml * by_tags.per_slice, by_tags.notes, by_tags.weight_kg)
    raise InputError(
        "the PET is in counts and lacks Philips' SUV scale factor (7053,1000) and activity concentration scale factor "
        "(7053,1009); export it in BQML or with its private tags"
    )


def _disagreement(
    headers: Sequence[Dataset], to_suv: NDArray[np.float64], to_bqml: NDArray[np.float64]
) -> tuple[Note, ...]:
    """Return a note if Philips' two factors give different SUV, or cannot be compared."""
    if not to_bqml.all():
        return ()
    try:
        by_tags = _from_activity(headers)
    except InputError as error:
        message = f"Philips' SUV scale factor (7053,1000) cannot be compared with the tags: {error}"
        return (Note(NoteKind.UNITS, message),)
    if np.allclose(to_bqml * by_tags.per_slice, to_suv, rtol=SUV_TOLERANCE):
        return ()
    ratio = float(np.median(to_bqml * by_tags.per_slice / to_suv))
    message = (
        f"Philips' SUV scale factor (7053,1000) counts; its activity factor (7053,1009) with weight, dose and times "
        f"would give {ratio:.2f} times the SUV; check the tags"
    )
    return (Note(NoteKind.UNITS, message),)


def _intercept_notes(headers: Sequence[Dataset]) -> tuple[Note, ...]:
    """Return a note if a rescale intercept is not zero, as the standard wants it of PET (PS3.3, C.8.9.4)."""
    if all(not header.get("RescaleIntercept") or float(header.RescaleIntercept) == 0 for header in headers):
        return ()
    message = f"{tag_name('RescaleIntercept')} is not zero, which DICOM does not allow in PET; it was added, check it"
    return (Note(NoteKind.VALUES, message),)


def _decay_factor_notes(headers: Sequence[Dataset], taken: Uptake) -> tuple[Note, ...]:
    """Return a note if DecayFactor says that values were corrected to the injection, though they claim the start."""
    factors = _decay_factors(headers)
    to_injection = float(1.0 / taken.decay.max())
    if factors is None or to_injection < 1.0 + 5 * SUV_TOLERANCE or factors.min() < 0.95 * to_injection:
        return ()
    message = (
        f"{tag_name('DecayFactor')} of {factors.min():.3f} looks corrected to the injection, but "
        f"{tag_name('DecayCorrection')} says START; check it"
    )
    return (Note(NoteKind.CORRECTION, message),)


def _admin_notes(headers: Sequence[Dataset]) -> tuple[Note, ...]:
    """Return a note if DecayFactor says that values were not corrected to the injection, though they claim so."""
    factors = _decay_factors(headers)
    if factors is None:
        return ()
    try:
        to_injection = float(1.0 / uptake(headers).decay.max())
    except InputError:  # values corrected to the injection need no times, and then nothing can be compared
        return ()
    if factors.min() >= 0.95 * to_injection:
        return ()
    message = (
        f"{tag_name('DecayFactor')} of {factors.min():.3f} is less than the decay since the injection, "
        f"{to_injection:.3f}, but {tag_name('DecayCorrection')} says ADMIN; check it"
    )
    return (Note(NoteKind.CORRECTION, message),)


def _decay_factors(headers: Sequence[Dataset]) -> NDArray[np.float64] | None:
    """Return DecayFactor of every slice; None if a slice lacks it, or if all are 1, which stands for unknown too."""
    if not all(header.get("DecayFactor") for header in headers):
        return None
    factors = np.array([required_number(header, "DecayFactor") for header in headers])
    return None if np.all(factors == 1.0) else factors
