"""Body-weight SUV from the tags of a DICOM PET series.

Follows the vendor-neutral pseudo-code for SUV of the Quantitative Imaging Biomarkers Alliance (QIBA, FDG-PET/CT
Biomarker Committee, https://qibawiki.rsna.org/index.php/Standardized_Uptake_Value_(SUV)) and the manual for SUV
computation of the Image Biomarker Standardisation Initiative (IBSI; M. Vacha et al. 2026, oncoray/suv_computation):

    SUVbw = value [Bq/ml] * weight [g] / (injected dose [Bq] * 2 ** (-decay time / half-life))

where the decay time runs from the injection to the time that the values are decay-corrected to. SUV that is related to
another mass, or to the body surface, is turned back to body weight:

    SUVbw = SUV * weight [g] / mass [g], or surface [cm2]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.suv.body import Body, body_of, related_to
from SegAnyPETLib.pet.suv.calibration import Calibration, PhilipsFactors, corrections_of, philips_factors, to_bqml
from SegAnyPETLib.pet.suv.decay import SUV_TOLERANCE
from SegAnyPETLib.pet.suv.dose_tags import check_alike, dose_of
from SegAnyPETLib.pet.suv.uptake import Uptake, uptake
from SegAnyPETLib.volume.dicom.header import required, required_number, tag_name
from SegAnyPETLib.volume.notes import Note, NoteKind

#: Units of values that are SUV, and the types that may be in them (DICOM PS3.3, C.8.9.1, SUVType).
SUV_TYPES = {"GML": ("BW", "LBM", "LBMJAMES128", "LBMJANMA", "IBW"), "CM2ML": ("BSA",)}
DECAY_CORRECTIONS = ("START", "ADMIN", "NONE")
#: A decay since the injection that DecayFactor can tell from that within the scan, and how far the two may differ.
TELLING_DECAY = 1.1
DECAY_SHARE = 0.95


@dataclass(frozen=True, eq=False)
class SuvFactors:
    """What turns the rescaled values of a series into body-weight SUV (g/ml).

    Attributes:
        per_slice: one factor per slice, in the order of the headers.
        notes: doubts about the tags.
        body: the patient's; None if the series does not need the weight and does not say it.
        assumed: what had to be assumed, in a few words each: units, which way a time was found.
    """

    per_slice: NDArray[np.float64]
    notes: tuple[Note, ...] = ()
    body: Body | None = None
    assumed: tuple[str, ...] = ()

    @property
    def weight_kg(self) -> float | None:
        """Weight of the patient, None if it is not known."""
        return None if self.body is None else self.body.weight_kg


def suv_factors(headers: Sequence[Dataset]) -> SuvFactors:
    """Compute the factors that turn the rescaled values of each slice into body-weight SUV.

    Args:
        headers: one per slice of one series, as `SegAnyPETLib.volume.dicom.series.read_series` returns them.

    Raises:
        InputError: a tag is missing (the message names it) or its value cannot be right, slices differ in what belongs
            to the series, or the values cannot be converted: not corrected for attenuation, units that are no activity,
            SUV of a type that is not known.
    """
    check_alike(headers)
    _check_intercept(headers)
    units = str(required(headers[0], "Units"))
    if units in SUV_TYPES:
        return _from_suv(headers, units)
    if units == "CNTS":
        _check_corrections(headers)
        philips = philips_factors(headers)
        if philips.to_suv is not None:
            return _from_philips(headers, philips, philips.to_suv)
    calibration = to_bqml(headers, units)
    notes = _check_corrections(headers)
    found = _from_activity(headers, calibration)
    return SuvFactors(found.per_slice, (*notes, *found.notes), found.body, found.assumed)


def _check_intercept(headers: Sequence[Dataset]) -> None:
    """Refuse a rescale intercept that is not zero, as the standard wants it of PET (PS3.3, C.8.9.4).

    None is seen in the wild; whether one is meant to be added nobody can say.
    """
    if any(header.get("RescaleIntercept") and required_number(header, "RescaleIntercept") != 0 for header in headers):
        raise InputError(
            f"{tag_name('RescaleIntercept')} of the PET series is not zero, which DICOM does not allow in PET; export "
            "the original series"
        )


def _from_suv(headers: Sequence[Dataset], units: str) -> SuvFactors:
    """Factors of values that are SUV already, of body weight unless their type says another (PS3.3, C.8.9.1)."""
    kind = str(headers[0].get("SUVType") or SUV_TYPES[units][0])
    if kind not in SUV_TYPES[units]:
        raise InputError(
            f"the PET holds SUV of type {kind}, {tag_name('SUVType')}, in {tag_name('Units')} {units}, which do not go "
            "together; export body-weight SUV or BQML"
        )
    if kind == "BW":
        return _stated(headers, np.ones(len(headers)))
    body, weight = body_of(headers[0])
    mass = related_to(kind, body)
    factor = body.weight_kg * 1000.0 / mass.value
    assumed = (f"SUV of type {kind} turned back to body weight", *weight.assumed, *mass.assumed)
    return SuvFactors(np.full(len(headers), factor), weight.notes, body, assumed)


def _stated(headers: Sequence[Dataset], factors: NDArray[np.float64], assumed: tuple[str, ...] = ()) -> SuvFactors:
    """Factors that do not need the patient's weight, with the body if it is there and can be right."""
    if not headers[0].get("PatientWeight"):
        return SuvFactors(factors, assumed=assumed)
    try:
        body, weight = body_of(headers[0])
    except InputError as error:
        return SuvFactors(factors, (Note(NoteKind.WEIGHT, f"{error} (SUV did not need it)"),), assumed=assumed)
    return SuvFactors(factors, weight.notes, body, (*assumed, *weight.assumed))


def _check_corrections(headers: Sequence[Dataset]) -> tuple[Note, ...]:
    """Refuse values that are no activity concentration; doubt tags that contradict each other about the decay."""
    correction = required(headers[0], "DecayCorrection")
    corrections = [corrections_of(header) for header in headers]
    needed = ("ATTN",) if correction == "NONE" else ("ATTN", "DECY")
    for word in needed:
        if any(word not in each for each in corrections):
            raise InputError(
                f"the PET is not corrected for {word} ({tag_name('CorrectedImage')}); export the corrected series"
            )
    if correction not in DECAY_CORRECTIONS:
        raise InputError(
            f"the decay correction {correction} of {tag_name('DecayCorrection')} gives no SUV; export a series "
            "corrected to START or ADMIN"
        )
    if correction == "NONE" and any("DECY" in each for each in corrections):
        message = (
            f"{tag_name('DecayCorrection')} says NONE, {tag_name('CorrectedImage')} DECY; the values were taken as not "
            "corrected for decay, check it"
        )
        return (Note(NoteKind.CORRECTION, message),)
    return ()


def _from_activity(headers: Sequence[Dataset], calibration: Calibration) -> SuvFactors:
    """Factors of values that a calibration turns into Bq/ml."""
    body, weight = body_of(headers[0])
    dose = dose_of(headers[0])
    notes, assumed = (*weight.notes, *dose.notes), (*weight.assumed, *dose.assumed, *calibration.assumed)
    if headers[0].DecayCorrection == "ADMIN":
        left_bq = np.full(len(headers), dose.value)
        notes = (*notes, *_admin_notes(headers))
    else:
        taken = uptake(headers)
        left_bq = dose.value * taken.decay
        notes = (*notes, *taken.notes, *_decay_factor_notes(headers, taken))
        assumed = (*assumed, *taken.assumed)
    return SuvFactors(calibration.per_slice * body.weight_kg * 1000.0 / left_bq, notes, body, assumed)


def _from_philips(headers: Sequence[Dataset], philips: PhilipsFactors, to_suv: NDArray[np.float64]) -> SuvFactors:
    """Factors of counts by Philips' private factor to SUV."""
    if headers[0].get("SUVType", "BW") not in ("", None, "BW"):
        raise InputError(
            f"{tag_name('SUVType')} {headers[0].SUVType} does not go with Philips' SUV scale factor (7053,1000), which "
            "is of body weight; correct the tag"
        )
    stated = _stated(headers, to_suv, philips.assumed)
    notes = (*stated.notes, *_undecayed_notes(headers, to_suv), *_disagreement(headers, philips))
    return SuvFactors(to_suv, notes, stated.body, stated.assumed)


def _undecayed_notes(headers: Sequence[Dataset], to_suv: NDArray[np.float64]) -> tuple[Note, ...]:
    """Return a note if one factor serves all slices although their decay is not corrected."""
    if headers[0].DecayCorrection != "NONE" or (len(headers) > 1 and np.ptp(to_suv) > 0):
        return ()
    message = (
        f"{tag_name('DecayCorrection')} says NONE, but Philips' SUV scale factor (7053,1000) is the same for all "
        "slices; check SUV far from the first bed"
    )
    return (Note(NoteKind.CORRECTION, message),)


def _disagreement(headers: Sequence[Dataset], philips: PhilipsFactors) -> tuple[Note, ...]:
    """Return a note if Philips' two factors give different SUV, or cannot be compared."""
    if philips.to_bqml is None or philips.to_suv is None:
        return ()
    try:
        by_tags = _from_activity(headers, Calibration(philips.to_bqml))
    except InputError as error:
        message = f"Philips' SUV scale factor (7053,1000) cannot be compared with the tags: {error}"
        return (Note(NoteKind.UNITS, message),)
    if np.allclose(by_tags.per_slice, philips.to_suv, rtol=SUV_TOLERANCE):
        return ()
    ratio = float(np.median(by_tags.per_slice / philips.to_suv))
    message = (
        f"Philips' SUV scale factor (7053,1000) counts; its activity factor (7053,1009) with weight, dose and times "
        f"would give {ratio:.2f} times the SUV; check the tags"
    )
    return (Note(NoteKind.UNITS, message),)


def _decay_factor_notes(headers: Sequence[Dataset], taken: Uptake) -> tuple[Note, ...]:
    """Return a note if DecayFactor says that values were corrected to the injection, though they claim otherwise."""
    factors = _decay_factors(headers)
    to_injection = float(1.0 / taken.decay.max())
    if factors is None or to_injection < TELLING_DECAY or factors.min() < DECAY_SHARE * to_injection:
        return ()
    message = (
        f"{tag_name('DecayFactor')} of {factors.min():.3f} looks corrected to the injection, but "
        f"{tag_name('DecayCorrection')} says {headers[0].DecayCorrection}; check it"
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
    if factors.min() >= DECAY_SHARE * to_injection:
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
