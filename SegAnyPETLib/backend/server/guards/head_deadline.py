"""A deadline for the head of a request; uvicorn has none, and would keep a silent connection for ever."""

from __future__ import annotations

import asyncio

from SegAnyPETLib.backend.server.guards.strict_http import StrictHttp

#: Seconds from the connection, or from the end of the keep-alive time, to the end of a request's head.
HEAD_S = 10.0


class HeadDeadline(StrictHttp):
    """Close connections on which the head of a request does not arrive in time."""

    _timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._expect_head(HEAD_S)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._expect_head(self.timeout_keep_alive + HEAD_S)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _expect_head(self, within_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(within_s, self._close_if_silent)

    def _close_if_silent(self) -> None:
        if self.idle:
            self.transport.abort()
