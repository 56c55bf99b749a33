"""From what a scanner stores to an activity concentration in Bq/ml.

The rules are those of the manual for SUV computation of the Image Biomarker Standardisation Initiative (M. Vacha et al.
2026, oncoray/suv_computation); DICOM PS3.3, C.8.9.1.1.3 defines the units.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom.grid import ijk_to_ras_of
from SegAnyPETLib.volume.dicom.header import (
    PHILIPS,
    PHILIPS_ACTIVITY_FACTOR,
    PHILIPS_SUV_FACTOR,
    lacks_creator,
    private_number,
    required,
    required_number,
    tag_name,
)

#: Values in these units are proportional to the activity by a factor that no tag holds, or are no activity at all.
INCONVERTIBLE = ("PROPCNTS", "PROPCPS", "1CM")


@dataclass(frozen=True, eq=False)
class Calibration:
    """What turns rescaled values into Bq/ml.

    Attributes:
        per_slice: one factor per slice, in the order of the headers.
        assumed: what had to be assumed.
    """

    per_slice: NDArray[np.float64]
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PhilipsFactors:
    """Philips' private factors of counts.

    Attributes:
        to_suv: to body-weight SUV, one per slice; None unless every slice has it.
        to_bqml: to Bq/ml, one per slice; None unless every slice has it.
        assumed: what had to be assumed.
    """

    to_suv: NDArray[np.float64] | None
    to_bqml: NDArray[np.float64] | None
    assumed: tuple[str, ...] = ()


def corrections_of(header: Dataset) -> set[str]:
    """Return the corrections that a slice had, as DICOM abbreviates them (PS3.3, C.8.9.1, CorrectedImage).

    Raises:
        InputError: the tag is missing.
    """
    value = required(header, "CorrectedImage")
    parts = [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]
    # Some exporters separate the values by commas, or write them in small letters.
    return {word.upper() for part in parts for word in re.split(r"[\\,;\s]+", str(part))}


def philips_factors(headers: Sequence[Dataset]) -> PhilipsFactors:
    """Return Philips' private factors; a factor of 0 counts as missing.

    Raises:
        InputError: some slices have a factor and others lack it.
    """
    to_suv, to_bqml = (
        np.array([private_number(header, PHILIPS, offset) for header in headers])
        for offset in (PHILIPS_SUV_FACTOR, PHILIPS_ACTIVITY_FACTOR)
    )
    whole = PhilipsFactors(to_suv if to_suv.all() else None, to_bqml if to_bqml.all() else None)
    if whole.to_suv is None and whole.to_bqml is None:
        if to_suv.any() or to_bqml.any():
            raise InputError(
                "some slices lack Philips' factors (7053,1000) and (7053,1009); export the whole series again"
            )
        return whole
    if any(lacks_creator(header, PHILIPS) for header in headers):
        return replace(whole, assumed=("Philips' factors at their usual place, without their owner's name",))
    return whole


def to_bqml(headers: Sequence[Dataset], units: str) -> Calibration:
    """Return what turns rescaled values in BQML, CNTS or CPS into Bq/ml.

    Raises:
        InputError: the units cannot be converted, or a tag that this takes is missing or cannot be right.
    """
    if units not in CALIBRATIONS:
        if units in INCONVERTIBLE:
            reason = "they are proportional to the activity by a factor that no tag holds"
            reason = "they are no activity" if units == "1CM" else reason
            raise InputError(f"values in {tag_name('Units')} {units} give no SUV: {reason}; export in BQML or GML")
        raise InputError(f"{tag_name('Units')} {units} cannot be converted to SUV; export in BQML or GML")
    return CALIBRATIONS[units](headers)


def _of_bqml(headers: Sequence[Dataset]) -> Calibration:
    return Calibration(np.ones(len(headers)))


def _of_counts(headers: Sequence[Dataset]) -> Calibration:
    """Philips' private factor; else counts over the frame's duration."""
    philips = philips_factors(headers)
    if philips.to_bqml is not None:
        return Calibration(philips.to_bqml, philips.assumed)
    try:
        frame_s = np.array([required_number(header, "ActualFrameDuration") for header in headers]) / 1000.0
        if frame_s.min() <= 0:
            raise InputError(f"{tag_name('ActualFrameDuration')} of the PET series is not above zero; correct it")
        rate = _of_rate(headers)
    except InputError as error:
        raise InputError(
            f"the PET is in counts, {tag_name('Units')} CNTS, and lacks Philips' SUV scale factor (7053,1000) and "
            f"activity concentration scale factor (7053,1009); without them, {error}"
        ) from error
    return Calibration(rate.per_slice / frame_s, ("counts over the frame's duration are counts/s", *rate.assumed))


def _of_rate(headers: Sequence[Dataset]) -> Calibration:
    """Divide counts per second in a voxel by its volume; multiply by the dose calibration unless that was done."""
    voxel_ml = abs(float(np.linalg.det(ijk_to_ras_of(headers)[:3, :3]))) / 1000.0
    over_volume = f"counts/s over the voxel's {voxel_ml:.4g} ml"
    calibrated = ["DCAL" in corrections_of(header) for header in headers]
    if all(calibrated):
        return Calibration(np.full(len(headers), 1.0 / voxel_ml), (f"{over_volume}, calibrated (DCAL), are Bq/ml",))
    if any(calibrated):
        raise InputError(f"only some slices of the PET are calibrated (DCAL in {tag_name('CorrectedImage')})")
    if not all(header.get("DoseCalibrationFactor") for header in headers):
        raise InputError(
            f"values in counts/s need {tag_name('DoseCalibrationFactor')}, or DCAL in {tag_name('CorrectedImage')}, "
            f"to become Bq/ml, {tag_name('Units')}; export in BQML or GML"
        )
    factor = np.array([required_number(header, "DoseCalibrationFactor") for header in headers])
    if factor.min() <= 0:
        raise InputError(f"{tag_name('DoseCalibrationFactor')} of the PET series is not above zero; correct it")
    name = tag_name("DoseCalibrationFactor")
    return Calibration(factor / voxel_ml, (f"{over_volume} times {name} are Bq/ml",))


CALIBRATIONS: dict[str, Callable[[Sequence[Dataset]], Calibration]] = {
    "BQML": _of_bqml,
    "CNTS": _of_counts,
    "CPS": _of_rate,
}
