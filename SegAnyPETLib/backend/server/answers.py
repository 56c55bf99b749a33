"""Responses: refusals as JSON, masks in parts."""

from __future__ import annotations

import asyncio

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE
from SegAnyPETLib.backend.server.refusals import Refusal

#: Bytes that are passed to the connection at a time, and that it buffers at most if the client reads slowly.
PART_BYTES = 256 * 1024


def refused(refusal: Refusal) -> JSONResponse:
    """Return a refusal as a response."""
    return JSONResponse({"error": refusal.code, "message": refusal.message}, refusal.status, refusal.headers)


class MaskResponse(Response):
    """A message, sent in parts; sending ends if the client takes too long to read it.

    Args:
        content: the message.
        within_s: seconds in which the client must have read it.
    """

    media_type = MEDIA_TYPE

    def __init__(self, content: bytes, within_s: float) -> None:
        super().__init__(content)
        self._within_s = within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it.

        Raises:
            TimeoutError: it was not read in time; the connection cannot be used any more.
        """
        view = memoryview(self.body)
        async with asyncio.timeout(self._within_s):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for begin in range(0, len(view), PART_BYTES):
                part = bytes(view[begin : begin + PART_BYTES])
                await send({"type": "http.response.body", "body": part, "more_body": begin + PART_BYTES < len(view)})
