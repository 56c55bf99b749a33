"""A session whose acts are logged; people and robots work with the same one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.study.log.writer import EventLog

Answer = TypeVar("Answer")


class RecordedSession:
    """Passes acts on to a session and writes each into a log, questions to the model and their answers apart.

    Args:
        session: of one target.
        log: of the reader.
        target: code of the target.
        first_request: number of the first question to the model; numbers must not repeat within a run of the program.
        waited: called with the seconds that a question took, before its answer is logged; a simulated reader lets his
            clock pass here.
    """

    def __init__(
        self,
        session: InteractiveSession,
        log: EventLog,
        target: str,
        first_request: int,
        waited: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._session, self._log = session, log
        self._target, self._waited = target, waited
        self.next_request = first_request

    @property
    def session(self) -> InteractiveSession:
        """What is recorded."""
        return self._session

    @property
    def mask_kji(self) -> NDArray[np.bool_]:
        """The mask so far on the whole grid."""
        return self._session.mask_kji

    def add_point(self, point: Point) -> None:
        """Add a click; see `InteractiveSession.add_point` for what it raises."""
        self._log.add("point_placed", target=self._target, point_ras=list(point.ras), positive=point.positive)
        self._ask(lambda: self._session.add_point(point))

    def move_point(self, number: int, point: Point) -> None:
        """Move a click; see `InteractiveSession.move_point`."""
        self._log.add("point_moved", target=self._target, point_ras=list(point.ras), positive=point.positive)
        self._ask(lambda: self._session.move_point(number, point))

    def remove_point(self, number: int) -> None:
        """Remove a click; see `InteractiveSession.remove_point`."""
        self._log.add("point_removed", target=self._target)
        self._ask(lambda: self._session.remove_point(number))

    def smaller(self) -> None:
        """Take the next smaller mask that the last click may mean."""
        self._session.smaller()
        self._log.add("alternative_chosen", target=self._target, number=self._session.chosen)

    def larger(self) -> None:
        """Take the next larger one."""
        self._session.larger()
        self._log.add("alternative_chosen", target=self._target, number=self._session.chosen)

    def undo(self) -> None:
        """Take back the last act."""
        self._session.undo()
        self._log.add("undo", target=self._target)

    def redo(self) -> None:
        """Bring back what was taken back."""
        self._session.redo()
        self._log.add("redo", target=self._target)

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        request, self.next_request = self.next_request, self.next_request + 1
        asked_ms = self._log.clock.mono_ms()
        self._log.add("model_asked", request=request)
        try:
            answer = question()
        except SegAnyPETError:
            self._log.add("model_failed", request=request)
            raise
        self._waited((self._log.clock.mono_ms() - asked_ms) / 1000)
        self._log.add("model_answered", request=request, latency_ms=self._log.clock.mono_ms() - asked_ms)
        return answer
