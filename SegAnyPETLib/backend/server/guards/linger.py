"""Refusing a request before its body has been read, so that the client still gets to see why."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: How long, and how many bytes, a body is read on and thrown away after the answer. A connection that is closed at once
#: is reset, and what the client has not read yet of the answer is lost.
LINGER_S, LINGER_BYTES = 1.0, 16 * 1024**2


class Linger:
    """Ends a connection whose request was answered before it was read.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and look at what has been read."""
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
                message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if not unread or not last:
                await send(message)
                return
            await send({**message, "more_body": True})
            if "expect" not in headers:
                await _throw_away(reading)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app(scope, reading, sending)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


async def _throw_away(receive: Receive) -> None:
    """Read on until the end, or for a while."""
    size, more = 0, True
    try:
        async with asyncio.timeout(LINGER_S):
            while more and size < LINGER_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        pass  # the client is slow; it has had its time
