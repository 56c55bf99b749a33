"""All lesions of a scan as one mask, clicked as autoPET IV clicks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.evaluation.sessions import Session, SessionFactory
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume


@dataclass(eq=False)
class _Lesion:
    """A target that a tumour click began."""

    session: Session
    background: set[int] = field(default_factory=set)


class ScanSession:
    """Segments a scan's lesions, each by a session of its own, from clicks that do not say which lesion they mean.

    A tumour click that no mask holds begins a target; one inside a mask is right already. A background click goes to
    each target whose mask holds it, also if the mask spills over it later.

    Args:
        image: the PET.
        make_session: makes a fresh session on it.
    """

    def __init__(self, image: Volume, make_session: SessionFactory) -> None:
        self._image = image
        self._make_session: Callable[[Volume], Session] = make_session
        self._lesions: list[_Lesion] = []
        self._background: list[Point] = []
        self.mask_kji: NDArray[np.bool_] = np.zeros(image.shape_kji, bool)

    def add(self, tumour: Point | None, background: Point | None) -> tuple[Point, ...]:
        """Take the clicks of a step.

        Returns:
            Those that were given to a target, in their order.
        """
        given: list[Point] = []
        if tumour is not None and not self.mask_kji[self._image.nearest_kji(tumour.ras)]:
            lesion = _Lesion(self._make_session(self._image))
            lesion.session.add_point(tumour)
            self._lesions.append(lesion)
            given.append(tumour)
        if background is not None:
            self._background.append(background)
        for lesion in self._lesions:
            given += self._take_back(lesion)
        self.mask_kji = np.zeros(self._image.shape_kji, bool)
        for lesion in self._lesions:
            self.mask_kji |= lesion.session.mask_kji
        return tuple(given)

    def _take_back(self, lesion: _Lesion) -> list[Point]:
        """Give a target the background clicks that its mask holds."""
        given = []
        for number, point in enumerate(self._background):
            if number not in lesion.background and lesion.session.mask_kji[self._image.nearest_kji(point.ras)]:
                lesion.session.add_point(point)
                lesion.background.add(number)
                given.append(point)
        return given
