"""Raw bytes over a real connection, and what the server made of them."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE
from Testing.fuzz.hostile import Hostile, canary
from Testing.fuzz.served import TOKEN

#: A server that says nothing for this long waits for more.
QUIET_S = 0.05
#: No exchange takes longer.
PATIENCE_S = 20.0


@dataclass(frozen=True)
class Sent:
    """What goes over one connection.

    Attributes:
        pieces: of bytes, one after the other.
        pause_s: between them.
        knows_token: whether the token stands in it somewhere.
    """

    pieces: tuple[bytes, ...]
    pause_s: float = 0.0

    @property
    def knows_token(self) -> bool:
        return TOKEN.encode() in b"".join(self.pieces)


def exchange(port: int, sent: Sent) -> bytes:
    """All that comes back until the server closes the connection or waits for more."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        try:
            for number, piece in enumerate(sent.pieces):
                time.sleep(sent.pause_s if number else 0)
                connection.sendall(piece)
            connection.settimeout(QUIET_S)
            ends_at = time.monotonic() + PATIENCE_S
            while part := connection.recv(1 << 16):
                received += part
                assert time.monotonic() < ends_at, "the server does not stop to answer"
        except TimeoutError:
            pass  # it waits for more
        except (ConnectionResetError, BrokenPipeError):
            pass  # it has heard enough
    return received


def statuses_in(received: bytes) -> list[int]:
    """Of the answers."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", received)]


def as_bytes(request: Hostile) -> bytes:
    """A request on the wire, its headers as they are."""
    head = b" ".join((request.method.encode(), request.path.encode() + b"?" * bool(request.query), b"HTTP/1.1"))
    lines = [head, *(name + b": " + value for name, value in request.headers), b"", b""]
    return b"\r\n".join(lines) + b"".join(request.parts)


# --- what no client would send


_AUTH = b"Authorization: Bearer " + TOKEN.encode()
_HEAD = [b"POST /v1/predict HTTP/1.1", b"Host: 127.0.0.1", b"Content-Type: " + MEDIA_TYPE.encode()]
_STARTS = [
    b"POST /v1/predict HTTP/1.1",
    b"GET /v1/health HTTP/1.1",
    b"GET http://evil.example/v1/health HTTP/1.1",
    b"POST /v1/predict HTTP/1.0",
    b"POST /v1/predict HTTP/9.9",
    b"POST /v1/predict",
    b"POST  /v1/predict HTTP/1.1",
    b"GET /v1/health\x00 HTTP/1.1",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1",
    b"PRI * HTTP/2.0",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"",
]
_LINES = [
    b"Host: 127.0.0.1",
    b"Content-Type: " + MEDIA_TYPE.encode(),
    b"Content-Length: -5",
    b"Content-Length: 5",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: 5, 6",
    b"Content-Length: 0x5",
    b"Content-Length:",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding : chunked",
    b"transfer-encoding: \x0bchunked",
    b"Expect: 100-continue",
    b"Connection: upgrade",
    b"Upgrade: websocket",
    b"Connection: close",
    b"X-Client: a\r\n b",
    b"X-Client: \x00",
    b" folded",
    b"no colon",
    b": no name",
    b"X-Deadline-S: 1e-9",
    b"X" * 20_000 + b": a",
    b"\r\n".join(b"X-%d: a" % n for n in range(3000)),
]
_CHUNKS = [
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"-1\r\nx\r\n",
    b"FFFFFFFFFFFFFFFFF\r\nx\r\n",
    b"7fffffff\r\nx",
    b"5\r\nhel",
    b"5;" + b"x" * 20_000 + b"\r\nhello\r\n",
    b"zz\r\n",
    b"5\nhello\n",
    b"0\r\nX-Trailer: a\r\n\r\n",
    b"20000\r\n" + b"v" * 0x20000 + b"\r\n",
]


def each_kind() -> list[Sent]:
    """Every start, line and chunk once, in an otherwise sound request with and without the token."""
    sent = []
    for token in ([_AUTH], []):
        sound = [*_HEAD, *token]
        heads = [[start, *sound[1:]] for start in _STARTS] + [[*sound, line] for line in _LINES]
        chunked = b"\r\n".join([*sound, b"Transfer-Encoding: chunked", b"", b""])
        sent += [b"\r\n".join([*head, b"", b""]) for head in heads] + [chunked + chunk for chunk in _CHUNKS]
    return [Sent((data,)) for data in sent]


@st.composite
def broken(draw: Any) -> Sent:
    """Lines, chunks and bytes in any order, cut anywhere."""
    start = draw(st.sampled_from(_STARTS[:1] * 4 + _STARTS))
    token = [_AUTH] if draw(st.booleans()) else []
    lines = [start, *_HEAD[1 : draw(st.sampled_from([1, 3, 3]))], *token]
    lines += draw(st.lists(st.sampled_from(_LINES), max_size=3))
    body = b"".join(draw(st.lists(st.sampled_from(_CHUNKS) | st.binary(max_size=30), max_size=3)))
    data = b"\r\n".join(lines) + b"\r\n\r\n" + body
    if draw(st.integers(0, 3)) == 0:
        data += data  # the next request comes before the answer to the first
    if draw(st.integers(0, 3)) == 0:
        data = data[: draw(st.integers(0, len(data)))]
    return Sent(_cut(data, draw(st.integers(1, 3))))


def slow(piece_bytes: int, pieces: int, pause_s: float) -> Sent:
    """A valid request whose body comes in small pieces and never ends."""
    head = b"\r\n".join([*_HEAD, _AUTH, b"Content-Length: %d" % len(canary()), b"", b""])
    body = canary()
    cut = [body[n * piece_bytes : (n + 1) * piece_bytes] for n in range(pieces)]
    return Sent((head, *cut), pause_s)


def _cut(data: bytes, pieces: int) -> tuple[bytes, ...]:
    step = max(1, -(-len(data) // pieces))
    return tuple(data[n : n + step] for n in range(0, len(data), step))
