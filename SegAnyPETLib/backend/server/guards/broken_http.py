"""Connections on which something arrives that is no HTTP."""

from __future__ import annotations

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class BreaksOff(H11Protocol):
    """Ends a connection that has stopped to speak HTTP, with at most one answer.

    A request may already be on its way to the application when its body turns out to be broken. uvicorn then answers
    400 by itself; what the application answers afterwards would be a second answer, which h11 takes for a bug.
    """

    def send_400_response(self, msg: str) -> None:
        """Answer, unless another answer has begun; for the application the client has gone."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()
