"""How long people take: a model of their pace, for robots that read studies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.study.plan.power import log_sd


@dataclass(frozen=True)
class Pace:
    """Seconds of a practised reader; each act takes a log-normal time with these as medians.

    `point_s`, `press_s` and `think_s` are the operators P, B and M of the keystroke-level model (Card, Moran & Newell
    1980, doi 10.1145/358886.358895). The others are assumptions of this project, not measurements: what a study without
    readers says of the length of times holds for them alone.

    Attributes:
        point_s: moving the mouse to a place.
        press_s: pressing or releasing a button; a click is two.
        think_s: preparing an act.
        scroll_s: going to the next slice and seeing it.
        find_s: travelling to a target and seeing what it is.
        trace_mm_per_s: length of a contour that is painted in a second, a steering task (Accot & Zhai 1997).
        model_s: until the model has answered; fixed, so that studies are equal on every machine.
        variation: coefficient of variation of an act.
        hand_mm: standard deviation of a painted border about the true one.
        content_dice: a mask this good is left as it is.
        most_clicks: after so many clicks the reader paints what is missing.
    """

    point_s: float = 1.1
    press_s: float = 0.1
    think_s: float = 1.35
    scroll_s: float = 0.5
    find_s: float = 4.0
    trace_mm_per_s: float = 15.0
    model_s: float = 0.6
    variation: float = 0.35
    hand_mm: float = 0.8
    content_dice: float = 0.8
    most_clicks: int = 5

    @property
    def click_s(self) -> float:
        """Thinking, pointing and clicking."""
        return self.think_s + self.point_s + 2 * self.press_s


class Timer:
    """Draws how long acts take.

    Args:
        pace: medians.
        factor: of this reader.
        rng: source of the draws.
    """

    def __init__(self, pace: Pace, factor: float, rng: np.random.Generator) -> None:
        self.pace, self._factor, self._rng = pace, factor, rng

    def draw(self, median_s: float) -> float:
        """Return the time of one act in seconds."""
        return median_s * self._factor * float(np.exp(self._rng.normal(0, log_sd(self.pace.variation))))


def contours_mm(mask_kji: NDArray[np.bool_], spacing_kji_mm: NDArray) -> Iterator[float]:
    """Yield the length of the contour in every axial slice that a mask occupies.

    Borders of voxels are counted, and shortened by pi / 4: the mean over all directions of a straight line's length
    over that of its steps.
    """
    dj_mm, di_mm = float(spacing_kji_mm[1]), float(spacing_kji_mm[2])
    for slice_ji in mask_kji:
        if slice_ji.any():
            padded = np.pad(slice_ji, 1)
            steps_mm = (
                np.count_nonzero(np.diff(padded, axis=0)) * di_mm + np.count_nonzero(np.diff(padded, axis=1)) * dj_mm
            )
            yield steps_mm * np.pi / 4
