"""Servers in a thread of the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.server.guards.bind import Address
from SegAnyPETLib.backend.server.run import Server
from SegAnyPETLib.backend.server.service import Service
from SegAnyPETLib.models.engine import Engine

TOKEN = "token-of-the-tests"
#: No test waits longer than this for a thread.
PATIENCE_S = 30.0


@contextmanager
def serving(
    engines: Sequence[Engine],
    *,
    token: str | None = None,
    address: Address | None = None,
    limits: Limits | None = None,
) -> Iterator[str]:
    """A server that takes requests; yields its URL."""
    ready = threading.Event()
    address = address or Address()
    server = Server(Service(engines, limits), token, address, ready=ready.set)
    thread = threading.Thread(target=server.run_until_stopped, daemon=True)
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        yield address.url(server.port)
    finally:
        server.stop()
        thread.join(PATIENCE_S)
