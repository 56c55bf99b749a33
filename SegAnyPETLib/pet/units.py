"""Body-weight SUV from an image in Bq/ml, with what its file does not hold: weight, dose and times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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


@dataclass(frozen=True)
class StatedUnits:
    """What the user says of the values of an image file.

    Attributes:
        units: None if nothing is said.
        injection: what converts Bq/ml, None for other units.
    """

    units: FileUnits | None = None
    injection: Injection | None = None


NOTHING_STATED = StatedUnits()


def stated_units(
    units: str | None,
    weight_kg: float | None = None,
    dose_mbq: float | None = None,
    uptake_min: float | None = None,
    half_life_min: float | None = None,
) -> StatedUnits:
    """Put together what is stated of an image file; the half-life is that of F-18 unless it is given.

    Raises:
        InputError: the units are not known, or weight, dose and uptake time do not go with them or are incomplete.
    """
    if units not in (None, *FileUnits):
        raise InputError(f"the units {units} are not known; use one of {', '.join(FileUnits)}")
    given = [number is not None for number in (weight_kg, dose_mbq, uptake_min)]
    if units != FileUnits.BQML:
        if any(given) or half_life_min is not None:
            raise InputError("weight, dose and times convert an image in Bq/ml; add --units bqml, or leave them out")
        return StatedUnits(None if units is None else FileUnits(units))
    if weight_kg is None or dose_mbq is None or uptake_min is None:
        raise InputError("--units bqml needs --weight-kg, --dose-mbq and --uptake-min; give all three")
    if half_life_min is None:
        return StatedUnits(FileUnits.BQML, Injection(weight_kg, dose_mbq, uptake_min))
    return StatedUnits(FileUnits.BQML, Injection(weight_kg, dose_mbq, uptake_min, half_life_min))


#: Keys of a case in a list that say the units of its image.
JSON_KEYS = ("weight_kg", "dose_mbq", "uptake_min", "half_life_min")


def units_from_json(case: Mapping[str, Any]) -> StatedUnits:
    """Read what a case of a list states of its image: ``"units"``, and `JSON_KEYS` if they are ``"bqml"``.

    Raises:
        InputError: as for `stated_units`, or a value is not a number.
    """
    units = case.get("units")
    if units is not None and not isinstance(units, str):
        raise InputError(f'its "units" must be one of {", ".join(FileUnits)}')
    for key in JSON_KEYS:
        if not isinstance(case.get(key), int | float | None) or isinstance(case.get(key), bool):
            raise InputError(f'its "{key}" must be a number')
    return stated_units(units, *(case.get(key) for key in JSON_KEYS))


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
