"""Weight, dose and half-life: the bounds of what can be right, whether a DICOM tag or the user states them."""

from __future__ import annotations

from dataclasses import dataclass

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.nuclides import HALF_LIFE_TOLERANCE, HALF_LIVES_S, nuclide_of
from SegAnyPETLib.volume.notes import Note, NoteKind

#: A small newborn weighs more; less is in another unit than kilograms, or the height.
MIN_WEIGHT_KG = 2.0
#: Above the heaviest patient on record; more is in another unit than kilograms.
MAX_WEIGHT_KG = 650.0
#: Less is in another unit than becquerels (vendors and anonymisers write MBq).
MIN_DOSE_BQ = 1e6
#: More than of any tracer, generators of seconds included.
MAX_DOSE_BQ = 3e10
#: Scans of fewer seconds after the injection hold perfusion rather than uptake; times of zero give 0.
MIN_UPTAKE_S = 300.0
#: After this many half-lives 6 % of the dose is left, too little for an image: the times or the half-life are wrong.
MAX_UPTAKE_HALF_LIVES = 4.0

#: What half-lives are off by that were given in another unit: minutes, hours, days, ms; seconds taken for minutes.
OTHER_UNITS = (60.0, 3600.0, 86400.0, 1e-3, 1 / 60)


@dataclass(frozen=True)
class Names:
    """How messages call the values; those of DICOM tags by default in `SegAnyPETLib.pet.suv.dose_tags`.

    Attributes:
        weight: the patient's weight.
        dose: the injected activity.
        half_life: the nuclide's half-life.
        times: whatever gives the time between injection and scan.
    """

    weight: str
    dose: str
    half_life: str
    times: str


def check_weight(weight_kg: float, names: Names) -> None:
    """Refuse a weight that no patient has.

    Raises:
        InputError: the weight is outside 2 to 650 kg.
    """
    if not MIN_WEIGHT_KG <= weight_kg <= MAX_WEIGHT_KG:
        raise InputError(f"{names.weight} of {weight_kg:g} kg cannot be right; correct it")


def check_dose(dose_bq: float, names: Names) -> None:
    """Refuse an activity that nobody injects.

    Raises:
        InputError: the dose is outside 1 MBq to 30 GBq.
    """
    if MIN_DOSE_BQ <= dose_bq <= MAX_DOSE_BQ:
        return
    guesses = [unit for unit, bq in (("MBq", 1e6), ("kBq", 1e3)) if 2e7 <= dose_bq * bq <= 2e9]
    guess = f" (it looks like {guesses[0]})" if guesses else ""
    raise InputError(f"{names.dose} of {dose_bq:g} Bq cannot be right{guess}; correct it, in Bq")


def check_half_life(half_life_s: float, names: Names, nuclide: str | None = None) -> tuple[Note, ...]:
    """Refuse a half-life in another unit or of another nuclide than the one that is named.

    Args:
        half_life_s: as stated, in seconds.
        names: for messages.
        nuclide: as the scan names it, a key of `HALF_LIVES_S`, or None.

    Returns:
        A note if no positron emitter is known that has this half-life.

    Raises:
        InputError: the half-life is that of a known emitter in another unit, not above zero, or not the nuclide's.
    """
    if half_life_s <= 0:
        raise InputError(f"{names.half_life} of {half_life_s:g} s cannot be right; correct it")
    if nuclide is not None and abs(half_life_s / HALF_LIVES_S[nuclide] - 1.0) > HALF_LIFE_TOLERANCE:
        raise InputError(
            f"{names.half_life} of {half_life_s:g} s is not that of {nuclide}, {HALF_LIVES_S[nuclide]:g} s; correct it"
        )
    if nuclide_of(half_life_s) is not None:
        return ()
    for ratio in OTHER_UNITS:
        meant = nuclide_of(half_life_s * ratio)
        if meant is not None:
            raise InputError(
                f"{names.half_life} of {half_life_s:g} s cannot be right: it looks like that of {meant}, "
                f"{HALF_LIVES_S[meant]:g} s, in another unit; correct it"
            )
    return (Note(NoteKind.DOSE, f"{names.half_life} of {half_life_s:g} s is of no known positron emitter; check it"),)


def check_uptake(uptake_s: float, half_life_s: float, names: Names) -> tuple[Note, ...]:
    """Refuse a scan before the injection, or so late that too little activity is left.

    Returns:
        A note if the scan starts less than five minutes after the injection.

    Raises:
        InputError: the uptake time is not above zero, or longer than four half-lives.
    """
    if uptake_s <= 0:
        how = f"{-uptake_s / 3600:.1f} h after" if uptake_s else "at the very time of"
        raise InputError(f"the injection would lie {how} the scan; check {names.times}")
    if uptake_s > MAX_UPTAKE_HALF_LIVES * half_life_s:
        raise InputError(
            f"the scan would lie {uptake_s / 3600:.1f} h, or {uptake_s / half_life_s:.1f} half-lives, after the "
            f"injection; check {names.half_life} and {names.times}"
        )
    if uptake_s < MIN_UPTAKE_S:
        minutes = f"{uptake_s / 60:.1f} min"
        return (Note(NoteKind.TIMES, f"the scan starts only {minutes} after the injection; check {names.times}"),)
    return ()
