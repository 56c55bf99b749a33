"""Qt's event loop in tests: wait for something, and measure whether the loop was ever held up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from Testing.slicer_harness import qt_facade

qt = qt_facade.install()

BEAT_MS = 5


def wait_until(condition: Callable[[], Any], timeout_s: float = 30.0) -> None:
    """Run the event loop until something is so.

    Raises:
        TimeoutError: it was not so in time.
    """
    end_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end_s:
            raise TimeoutError(f"waited {timeout_s} s in vain")
        qt.QTest.qWait(BEAT_MS)


class Heartbeat:
    """Beats while the event loop runs; a call that holds it up shows as a gap. Used with ``with``.

    Attributes:
        longest_gap_s: between two beats.
    """

    def __init__(self) -> None:
        self.longest_gap_s = 0.0
        self._last_s = time.monotonic()
        self._timer = qt.QTimer()
        self._timer.timerType = qt.Qt.PreciseTimer
        self._timer.interval = BEAT_MS
        self._timer.connect("timeout()", self._beat)

    def _beat(self) -> None:
        now_s = time.monotonic()
        self.longest_gap_s = max(self.longest_gap_s, now_s - self._last_s)
        self._last_s = now_s

    def __enter__(self) -> Heartbeat:
        self._last_s = time.monotonic()
        self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._beat()
        self._timer.stop()
