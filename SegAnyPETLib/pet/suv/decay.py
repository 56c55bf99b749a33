"""Radioactive decay: what seconds mean for SUV, and when a frame's activity equals its mean."""

from __future__ import annotations

import numpy as np

from SegAnyPETLib.volume.notes import Note, NoteKind

#: Two ways to a time that change SUV by more than this are both told to the user.
SUV_TOLERANCE = 0.01
#: Differences beyond so many half-lives are as good as endless, and would overflow.
MAX_HALF_LIVES = 100


def mean_decay_s(frame_s: float, half_life_s: float) -> float:
    """Return the time into a frame at which the activity equals its mean over the frame, in seconds.

    DICOM PS3.3, C.8.9.4.1.5: ln(lT / (1 - exp(-lT))) / l, where l = ln 2 / half-life and T the frame's duration.
    """
    rate = np.log(2.0) / half_life_s
    return float(np.log(rate * frame_s / -np.expm1(-rate * frame_s)) / rate)


def suv_ratio(seconds: float, half_life_s: float) -> float:
    """Return by how much SUV grows if so many seconds more lie between injection and scan."""
    half_lives = seconds / half_life_s
    return float(np.exp2(np.clip(half_lives, -MAX_HALF_LIVES, MAX_HALF_LIVES)))


def suv_change(seconds: float, half_life_s: float) -> float:
    """Return by which share of itself SUV changes over so many seconds, whatever their sign."""
    return suv_ratio(abs(seconds), half_life_s) - 1.0


def doubt(seconds: float, half_life_s: float, message: str) -> tuple[Note, ...]:
    """Return a note if so many seconds change SUV noticeably."""
    return (Note(NoteKind.TIMES, message),) if suv_change(seconds, half_life_s) > SUV_TOLERANCE else ()
