"""The clocks of a log."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What gives events their times."""

    def wall_ms(self) -> int:
        """Return UTC in ms since 1970."""

    def mono_ms(self) -> int:
        """Return a clock in ms that never runs backwards while the program runs."""


class SystemClock:
    """The machine's clocks."""

    def wall_ms(self) -> int:
        """Return UTC in ms since 1970."""
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        """Return the monotonic clock in ms."""
        return time.monotonic_ns() // 1_000_000


class PlayedClock:
    """A clock of a simulated reader, whose hours pass at once.

    Args:
        wall_ms: where it begins.
    """

    def __init__(self, wall_ms: int) -> None:
        self._wall_ms = float(wall_ms)
        self._mono_ms = 0.0

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self._wall_ms += 1000 * seconds
        self._mono_ms += 1000 * seconds

    def wall_ms(self) -> int:
        """Return UTC in ms since 1970."""
        return round(self._wall_ms)

    def mono_ms(self) -> int:
        """Return the time since it began in ms."""
        return round(self._mono_ms)
