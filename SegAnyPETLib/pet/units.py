"""Body-weight SUV from an image in Bq/ml, with what its file does not hold: weight, dose and times."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.injection import Names, check_dose, check_half_life, check_uptake, check_weight
from SegAnyPETLib.pet.nuclides import HALF_LIVES_S
from SegAnyPETLib.volume.notes import Note


class FileUnits(StrEnum):
    """What the values of an image file are, as the user says."""

    SUV = "suv"
    BQML = "bqml"


@dataclass(frozen=True)
class Injection:
    """What turns Bq/ml into body-weight SUV.

    Attributes:
        weight_kg: the patient's weight.
        dose_mbq: injected activity at the time of the injection, in MBq.
        uptake_min: minutes from the injection to what the values are decay-corrected to: the start of the scan as a
            rule, 0 if they are corrected to the injection.
        half_life_min: of the nuclide in minutes.
    """

    weight_kg: float
    dose_mbq: float
    uptake_min: float
    half_life_min: float = HALF_LIVES_S["F-18"] / 60.0


#: How messages call the values: by the options of the command line.
OPTIONS = Names(weight="--weight-kg", dose="--dose-mbq", half_life="--half-life-min", times="--uptake-min")


def suv_factor(injection: Injection) -> tuple[float, tuple[Note, ...]]:
    """Compute the factor from Bq/ml to body-weight SUV (g/ml), and doubts about what it comes from.

    Raises:
        InputError: weight, dose, uptake time or half-life cannot be right.
    """
    check_weight(injection.weight_kg, OPTIONS)
    dose_bq = injection.dose_mbq * 1e6
    check_dose(dose_bq, OPTIONS)
    half_life_s, uptake_s = injection.half_life_min * 60.0, injection.uptake_min * 60.0
    notes = check_half_life(half_life_s, OPTIONS)
    if uptake_s != 0:
        notes = (*notes, *check_uptake(uptake_s, half_life_s, OPTIONS))
    return injection.weight_kg * 1000.0 / (dose_bq * 2.0 ** (-uptake_s / half_life_s)), notes


def half_life_min(nuclide: str) -> float:
    """Return the half-life of a nuclide such as ``F-18`` in minutes.

    Raises:
        InputError: the nuclide is not known.
    """
    if nuclide not in HALF_LIVES_S:
        raise InputError(f"the nuclide {nuclide} is not known; use one of {', '.join(HALF_LIVES_S)}")
    return HALF_LIVES_S[nuclide] / 60.0
