"""What a reader noticed about an input that it did read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NoteKind(StrEnum):
    """What a note is about; callers decide by it, never by the message."""

    ACTIVITY = "activity"  # activity in view against the dose
    BODY = "body"  # the body in view against the weight
    CORRECTION = "correction"  # the instant that values are decay-corrected to
    DOSE = "dose"  # dose, half-life, nuclide
    GEOMETRY = "geometry"  # position, orientation, voxel size
    LABELS = "labels"  # label values or their grid
    MASK = "mask"  # a mask against the uptake in it
    SERIES = "series"  # which of several series was read
    TIMES = "times"  # injection and scan
    UNITS = "units"  # what the values mean
    VALUES = "values"  # values that were replaced or rescaled
    WEIGHT = "weight"  # the patient's weight


@dataclass(frozen=True)
class Note:
    """A doubt about an input that can be used.

    Attributes:
        kind: what it is about.
        message: one line for the user: what is doubtful; what to check.
    """

    kind: NoteKind
    message: str
