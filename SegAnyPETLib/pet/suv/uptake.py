"""The time from the injection to the instant that values are decay-corrected to, from the tags of a PET series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from SegAnyPETLib.pet.injection import check_uptake
from SegAnyPETLib.pet.suv.decay import SUV_TOLERANCE, suv_change, suv_ratio
from SegAnyPETLib.pet.suv.dose_tags import TAGS, half_life_of
from SegAnyPETLib.pet.suv.injection_time import injection_time
from SegAnyPETLib.pet.suv.reference_time import ReferenceTime, Way, reference_time
from SegAnyPETLib.volume.notes import Note, NoteKind

WAYS_DISAGREE = "two ways to the time that values refer to disagree"


@dataclass(frozen=True, eq=False)
class Uptake:
    """Time from the injection to what values are decay-corrected to.

    Attributes:
        seconds: one per slice.
        half_life_s: of the nuclide.
        notes: doubts about the times or the half-life.
        assumed: how the time was found, and what else had to be assumed.
    """

    seconds: NDArray[np.float64]
    half_life_s: float
    notes: tuple[Note, ...] = ()
    assumed: tuple[str, ...] = ()

    @property
    def decay(self) -> NDArray[np.float64]:
        """Share of the injected dose that is left, one per slice."""
        return np.exp2(-self.seconds / self.half_life_s)


def uptake(headers: Sequence[Dataset]) -> Uptake:
    """Return the time from the injection to what values with decay correction START or NONE refer to.

    Args:
        headers: one per slice, alike in all that belongs to the series.

    Raises:
        InputError: a date, a time or the half-life is missing or cannot be right.
    """
    half_life = half_life_of(headers[0])
    reference = reference_time(headers, half_life.value)
    first = min(reference.way.moments)
    injection = injection_time(headers[0], first, half_life.value)
    seconds = _since(injection.moment, reference.way)
    short = check_uptake(float(seconds.min()), half_life.value, TAGS)
    if not short:
        check_uptake(float(seconds.max()), half_life.value, TAGS)
    differ = _disagreements(reference, injection.moment, half_life.value)
    notes = (*half_life.notes, *reference.notes, *differ, *injection.notes, *short)
    found = f"reference time by {reference.way.name}, {_minutes(seconds)} after the injection"
    return Uptake(seconds, half_life.value, notes, (found, *injection.assumed))


def _since(injection: datetime, way: Way) -> NDArray[np.float64]:
    return np.array([(moment - injection).total_seconds() for moment in way.moments])


def _minutes(seconds: NDArray[np.float64]) -> str:
    low, high = f"{seconds.min() / 60:.1f}", f"{seconds.max() / 60:.1f}"
    return f"{low} min" if low == high else f"{low} to {high} min"


def _disagreements(reference: ReferenceTime, injection: datetime, half_life_s: float) -> tuple[Note, ...]:
    """Return a note with both values for each other way that would change SUV noticeably."""
    notes = []
    counts = _since(injection, reference.way)
    for other in reference.others:
        seconds = _since(injection, other)
        apart_s = seconds - counts
        worst_s = float(apart_s[np.abs(apart_s).argmax()])
        if suv_change(worst_s, half_life_s) <= SUV_TOLERANCE and not reference.guessed:
            continue
        message = (
            f"{reference.guessed or WAYS_DISAGREE}: {reference.way.name} puts it {_minutes(counts)} "
            f"after the injection, which counts; by {other.name} it is {_minutes(seconds)}, and SUV would be "
            f"{suv_ratio(worst_s, half_life_s):.3g} times as large; check the times"
        )
        notes.append(Note(NoteKind.TIMES, message))
    return tuple(notes)
