"""A connection to a server, as httpx makes it, that another thread can cut."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from SegAnyPETLib.backend.http.server_url import ServerUrl
from SegAnyPETLib.errors import BackendError

#: Seconds for TCP and TLS to come about; a server that is there needs a fraction of one.
CONNECT_S = 10.0
#: Seconds for which an idle connection is kept, a little shorter than servers keep it.
KEEP_S = 50.0
#: Bytes of an answer that is an error.
MAX_ERROR_BYTES = 64 * 1024


class ConnectionLost(BackendError):
    """There is no connection, or it ended before the answer; the request may be repeated."""


@dataclass(frozen=True)
class HttpReply:
    """What came back.

    Attributes:
        status: of HTTP.
        headers: by their names in lower case.
        body: its bytes, as they were sent.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection, kept between requests; for one request at a time.

    Args:
        url: of the server.
        headers: sent with every request.
        context: which certificates are trusted.
    """

    def __init__(self, url: ServerUrl, headers: dict[str, str], context: ssl.SSLContext) -> None:
        self._url = url
        self._client = httpx.Client(
            base_url=url.text,
            # Answers are capped while they are read; a compressed one could be larger than it looks.
            headers={"Accept-Encoding": "identity", **headers},
            verify=context,
            trust_env=not url.loopback,  # proxies of the environment
            limits=httpx.Limits(max_connections=1, keepalive_expiry=KEEP_S),
        )
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._cut = False

    def exchange(
        self, method: str, path: str, content: bytes, headers: dict[str, str], max_bytes: int, timeout_s: float
    ) -> HttpReply:
        """Send a request and read its answer.

        Args:
            method: of HTTP.
            path: below the server's URL.
            content: the body.
            headers: of this request.
            max_bytes: of an answer that is no error; a longer one is not read.
            timeout_s: for each step of sending and reading.

        Raises:
            ConnectionLost: the server cannot be reached, or the connection ended.
            BackendError: the certificate is not trusted, or the answer is longer than any that is expected.
        """
        timeout = httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_S))
        extensions = {"trace": self._note}
        try:
            with self._client.stream(
                method, path, content=content, headers=headers, timeout=timeout, extensions=extensions
            ) as response:
                most = max_bytes if response.status_code == httpx.codes.OK else MAX_ERROR_BYTES
                return HttpReply(response.status_code, dict(response.headers), self._read(response, most))
        except httpx.TransportError as error:
            raise self._lost(error) from error

    def cut(self) -> None:
        """End the connection under a request that is under way: the thread in `exchange` gets to see that soon."""
        with self._lock:
            self._cut = True
            _shut(self._socket)

    def close(self) -> None:
        """End the connection while no request is under way."""
        self._client.close()

    def _note(self, event: str, info: dict[str, Any]) -> None:
        """Called by httpcore, which has no other way to learn the socket of a request that is under way."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                if self._cut:
                    _shut(self._socket)

    def _read(self, response: httpx.Response, max_bytes: int) -> bytes:
        parts, size = [], 0
        for part in response.iter_raw():
            size += len(part)
            if size > max_bytes:
                raise BackendError(f"the answer of {self._url.host} is too long; check the address of the server")
            parts.append(part)
        return b"".join(parts)

    def _lost(self, error: httpx.TransportError) -> BackendError:
        untrusted = _untrusted(error)
        if untrusted is not None:
            return BackendError(
                f"the certificate of {self._url.host} is not trusted ({untrusted.verify_message}); give the file of "
                "the authority that signed it, or ask who runs the server"
            )
        return ConnectionLost(f"{self._url.host} cannot be reached; check the network and the address, then try again")


def _shut(connected: socket.socket | None) -> None:
    if connected is not None:
        with suppress(OSError):  # it is closed already
            # That of the plain socket: TLS's own would make a thread that is sending go on without encryption.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _untrusted(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """The refused certificate behind an error; httpx and httpcore wrap it."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        inner = next((a for a in error.args if isinstance(a, BaseException)), None)
        error = inner or error.__cause__ or error.__context__
    return error
