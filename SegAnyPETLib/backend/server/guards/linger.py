"""Answer a request before its body has been read, so that the client still gets to see why it is refused."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from SegAnyPETLib.backend.server.guards.auth import ACCEPTED

#: Seconds and bytes for which a body is read and thrown away after the response. A connection that is closed at once is
#: reset, and the client loses what it has not read of the response yet.
STRANGER_S = 1.0
STRANGER_BYTES = 16 * 1024**2
#: The same for a client that showed the token, which may have sent a whole body of more than the permitted size.
ACCEPTED_S = 10.0
ACCEPTED_BYTES = 256 * 1024**2


class Linger:
    """Close a connection whose request was answered before it was read, after a while.

    Args:
        app: application that answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and keep track of what has been read."""
        if scope["type"] != "http" or not _has_body(headers := Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        unread = True

        async def reading() -> Message:
            nonlocal unread
            message = await receive()
            unread = unread and bool(message.get("more_body", False))
            return message

        async def sending(message: Message) -> None:
            nonlocal unread
            if unread and message["type"] == "http.response.start":
                message = {**message, "headers": [*_without_connection(message), (b"connection", b"close")]}
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if not unread or not last:
                await send(message)
                return
            await send({**message, "more_body": True})
            if "expect" not in headers:
                limits = (ACCEPTED_S, ACCEPTED_BYTES) if ACCEPTED in scope else (STRANGER_S, STRANGER_BYTES)
                await _throw_away(reading, *limits)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app(scope, reading, sending)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _without_connection(message: Message) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in message.get("headers", []) if name != b"connection"]


async def _throw_away(receive: Receive, within_s: float, max_bytes: int) -> None:
    """Read on until the end, or for a while."""
    size, more = 0, True
    try:
        async with asyncio.timeout(within_s):
            while more and size < max_bytes:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        pass  # the client is slow; it has had its time
