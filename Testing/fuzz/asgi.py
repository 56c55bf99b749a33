"""PendingRequests an application in this process, as a server would, and holds it to ASGI's rules."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from Testing.fuzz.hostile import Hostile


@dataclass(frozen=True)
class Answered:
    """What came back; the status is 0 where the application answered nothing, since nobody was there any more."""

    status: int
    headers: dict[str, str]
    body: bytes


class InProcess:
    """An application on an event loop of its own.

    Args:
        app: its service has been started.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app, self._runner = app, asyncio.Runner()

    def close(self) -> None:
        """End the loop."""
        self._runner.close()

    def send(self, *requests: Hostile) -> list[Answered]:
        """Answers to requests that are sent at the same time; raises whatever the application raises."""
        return self._runner.run(self._send(requests))

    async def _send(self, requests: Sequence[Hostile]) -> list[Answered]:
        answers = await asyncio.gather(*(self._call(request) for request in requests))
        assert len(asyncio.all_tasks()) == 1, "a request left a task behind"
        return answers

    async def _call(self, request: Hostile) -> Answered:
        parts, sent, done = list(request.parts), list[MutableMapping[str, Any]](), asyncio.Event()

        async def receive() -> dict[str, Any]:
            if parts:
                body = parts.pop(0)
                return {"type": "http.request", "body": body, "more_body": bool(parts) or request.leaves}
            if not request.leaves:
                await done.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                done.set()

        await asyncio.wait_for(self._app(_scope(request), receive, send), 60)
        return _answered(sent, request)


def _scope(request: Hostile) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path,
        "raw_path": request.path.encode(errors="replace"),
        "query_string": request.query,
        "root_path": "",
        "headers": list(request.headers),
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8650),
    }


def _answered(sent: list[MutableMapping[str, Any]], request: Hostile) -> Answered:
    if not sent:
        assert request.leaves, "the application did not answer"
        return Answered(0, {}, b"")
    start, *rest = sent
    assert start["type"] == "http.response.start"
    assert all(message["type"] == "http.response.body" for message in rest)
    more = [bool(message.get("more_body")) for message in rest]
    assert more == [True] * (len(rest) - 1) + [False], "the answer has no end, or more than one"
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    assert not any("\r" in value or "\n" in value for value in headers.values())
    return Answered(start["status"], headers, b"".join(message["body"] for message in rest))
