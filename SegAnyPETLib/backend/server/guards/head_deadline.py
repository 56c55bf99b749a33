"""A limit of time for the head of a request; uvicorn has none, and a silent connection would be kept for ever."""

from __future__ import annotations

import asyncio

from SegAnyPETLib.backend.server.guards.broken_http import BreaksOff

#: Seconds from the connection, or from the end of the time for which it may be idle, to the end of a request's head.
HEAD_S = 10.0


class TimedProtocol(BreaksOff):
    """Closes connections that do not get to the point."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the first request."""
        super().connection_made(transport)
        self._expect_head(HEAD_S)

    def on_response_complete(self) -> None:
        """Expect the next request."""
        self._expect_head(self.timeout_keep_alive + HEAD_S)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        if self._waiting is not None:
            self._waiting.cancel()
        super().connection_lost(exc)

    def _expect_head(self, within_s: float) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = self.loop.call_later(within_s, self._close_if_silent)

    def _close_if_silent(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
