"""A wire tap between a client and a server: it counts bytes, and does to answers what networks do."""

from __future__ import annotations

import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

PATIENCE_S = 30.0


@dataclass
class Exchange:
    """One request that has arrived.

    Attributes:
        client: the connection that it came on.
        request: head and body.
        answer: asks the server for its answer, head and body.
    """

    client: socket.socket
    request: bytes
    answer: Callable[[], bytes]


#: What is done instead of passing an answer on; the connection is closed afterwards where it says so.
Fault = Callable[[Exchange], bool]


@dataclass
class Tap:
    """Where clients connect instead.

    Attributes:
        url: for clients.
        faults: what happens to the next requests that are posted, in turn; afterwards they are passed on.
        always: what happens to every request that is passed on otherwise.
        up, down: bytes of each exchange that was passed on.
        requests: of each exchange, head and body.
        server: address that it passes on to; None if it answers itself.
    """

    url: str
    server: tuple[str, int] | None = None
    faults: deque[Fault] = field(default_factory=deque)
    up: list[int] = field(default_factory=list)
    down: list[int] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    always: Fault | None = None

    def forward_to(self, server_url: str) -> None:
        """Pass requests of new connections on to another server."""
        self.server = _address(server_url)


@contextmanager
def tapped(server_url: str | None = None) -> Iterator[Tap]:
    """A tap before a server, or before none: then it answers itself."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = None if server_url is None else _address(server_url)
    tap = Tap(f"http://127.0.0.1:{listening.getsockname()[1]}", server)
    open_sockets: set[socket.socket] = set()

    def accept() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            client.settimeout(PATIENCE_S)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            open_sockets.add(client)
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            upstream = None
            while request := _message(client):
                tap.requests.append(request)
                if upstream is None and tap.server is not None:
                    upstream = socket.create_connection(tap.server, PATIENCE_S)
                    open_sockets.add(upstream)
                if not _pass_on(tap, Exchange(client, request, partial(_asked, upstream, request))):
                    break

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield tap
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(PATIENCE_S)
        for connection in open_sockets:
            connection.close()


def _address(url: str) -> tuple[str, int]:
    return "127.0.0.1", int(url.rpartition(":")[2])


def _pass_on(tap: Tap, exchange: Exchange) -> bool:
    """Whether the connection goes on."""
    if exchange.request.startswith(b"POST") and tap.faults:
        return tap.faults.popleft()(exchange)
    if tap.always is not None:
        return tap.always(exchange)
    answer = exchange.answer()
    exchange.client.sendall(answer)
    tap.up.append(len(exchange.request))
    tap.down.append(len(answer))
    return bool(answer)


def _asked(upstream: socket.socket | None, request: bytes) -> bytes:
    assert upstream is not None
    upstream.sendall(request)
    return _message(upstream)


def _message(connection: socket.socket) -> bytes:
    """A request or an answer, head and body; nothing where the connection ends."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(1 << 16)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)content-length: *(\d+)", head)
    missing, parts = int(found[1]) - len(body) if found else 0, [data]
    while missing > 0:
        part = connection.recv(1 << 16)
        if not part:
            return b""
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def says(status: int, body: bytes = b"", headers: str = "") -> Fault:
    """Another answer."""

    def fault(exchange: Exchange) -> bool:
        head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        exchange.client.sendall(head.encode() + body)
        return True

    return fault


def refuses(status: int, code: str, message: str = "", headers: str = "") -> Fault:
    """An error of the protocol."""
    return says(status, f'{{"error": "{code}", "message": "{message}"}}'.encode(), headers)


def cuts(share: float) -> Fault:
    """The connection ends after a share of the answer's bytes."""

    def fault(exchange: Exchange) -> bool:
        answer = exchange.answer()
        exchange.client.sendall(answer[: int(share * len(answer))])
        return False

    return fault


def hangs(exchange: Exchange) -> bool:
    """No answer, until the client goes away."""
    exchange.client.recv(1)
    return False


def babbles(exchange: Exchange) -> bool:
    """What is no HTTP."""
    exchange.client.sendall(b"\x16\x03garbage\r\n" * 100)
    return False
