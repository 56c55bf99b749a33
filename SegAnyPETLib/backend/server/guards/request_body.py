"""Reading the body of a request, within bounds of size, time and memory."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.types import Receive

from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE
from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.server.refusals import ClientGone, Refusal, busy

#: Bodies of the largest size whose bytes may be held at a time, over all requests that are read, wait, run or are being
#: answered, and their answers. While a message is read or written it is there as arrays, as a whole and in parts: at
#: most three times its bytes.
BODIES_AT_A_TIME = 4


class Bodies:
    """Memory of all request bodies and responses.

    Args:
        limits: of the server; the cap is `BODIES_AT_A_TIME` times its `body_bytes`.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.max_bytes = BODIES_AT_A_TIME * limits.body_bytes
        self.held_bytes = 0

    @contextmanager
    def held(self) -> Iterator[Body]:
        """Yield a body, whose memory and that of its response count until the end of the block."""
        body = Body(self)
        try:
            yield body
        finally:
            self.held_bytes -= body.size


class Body:
    """One request body, and its response."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies, self.size = bodies, 0

    async def read(self, headers: Headers, receive: Receive) -> bytes:
        """Receive all of it.

        Raises:
            Refusal: it is of another media type, too large, arrives too slowly, or does not fit into the memory now.
            ClientGone: the connection ended before the body.
        """
        _check_kind(headers)
        _check_length(headers, self._bodies.limits.body_bytes)
        try:
            async with asyncio.timeout(self._bodies.limits.body_s):
                return await self._received(receive)
        except TimeoutError:
            raise Refusal("too_slow", "the request did not arrive in time; check the network") from None

    def hold_answer(self, size: int) -> None:
        """Count the bytes of the response.

        Raises:
            Refusal: they do not fit beside those of others; a single request always gets its response.
        """
        if self._bodies.held_bytes > self.size and self._bodies.held_bytes + size > self._bodies.max_bytes:
            raise busy()
        self._hold(size)

    async def _received(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone("the client has gone")
            self._take(len(part := message.get("body", b"")))
            parts.append(part)
            more = message.get("more_body", False)
        return b"".join(parts)

    def _take(self, size: int) -> None:
        if self.size + size > self._bodies.limits.body_bytes:
            raise _too_large(self._bodies.limits.body_bytes)
        if self._bodies.held_bytes + size > self._bodies.max_bytes:
            raise busy()
        self._hold(size)

    def _hold(self, size: int) -> None:
        self.size += size
        self._bodies.held_bytes += size


def _check_kind(headers: Headers) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != MEDIA_TYPE or headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal("unsupported_media_type", f"the body must be of type {MEDIA_TYPE}, not compressed")


def _check_length(headers: Headers, max_bytes: int) -> None:
    length = headers.get("content-length")
    if length is None:
        return
    if not re.fullmatch(r"[0-9]{1,18}", length):
        raise Refusal("bad_request", "the length of the body is not a number")
    if int(length) > max_bytes:
        raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> Refusal:
    return Refusal("too_large", f"a request may have at most {max_bytes / 1024**2:g} MiB")
