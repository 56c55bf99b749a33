"""Refuse what is not HTTP, or can be read in two ways, and close its connection."""

from __future__ import annotations

from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Maximum size of the head of a request: its line and headers.
MAX_HEAD_BYTES = 16 * 1024


class StrictHttp(H11Protocol):
    """Close a connection that does not keep to HTTP, with at most one response.

    A request may already be on its way to the application when its body turns out to be broken. uvicorn then answers
    400 by itself; what the application answers afterwards would be a second response, which h11 treats as a bug.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = _StrictConnection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)

    def send_400_response(self, msg: str) -> None:
        """Answer, unless another response has begun; for the application the client has disconnected."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()


class _StrictConnection(h11.Connection):
    """h11 limits only heads that arrive in pieces, and accepts a length beside chunks."""

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            _check_head(event)
        return event


def _check_head(request: h11.Request) -> None:
    size = len(request.target) + sum(len(name) + len(value) + 4 for name, value in request.headers)
    if size > MAX_HEAD_BYTES:
        raise h11.RemoteProtocolError("the head of the request is too long", error_status_hint=431)
    names = {name for name, _ in request.headers}
    if {b"content-length", b"transfer-encoding"} <= names:
        # Two programs on the way may find the end of the request at different places (RFC 9112, 6.3).
        raise h11.RemoteProtocolError("the request has both a length and a transfer encoding")
