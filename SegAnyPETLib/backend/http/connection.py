"""A connection to a server, through httpx, that another thread can cut.

Threads: one thread at a time calls `exchange`; any other may call `cut`. `_lock` guards the socket and the flag that
both of them look at.
"""

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

#: Seconds for TCP and TLS to be set up; a server that is there needs a fraction of one.
CONNECT_S = 10.0
#: Seconds for which an idle connection is kept, a little less than servers keep it.
KEEP_S = 50.0
#: Maximum size of the body of an error.
MAX_ERROR_BYTES = 64 * 1024
#: OpenSSL's codes for a certificate of another host name or IP address (X509_V_ERR_HOSTNAME_MISMATCH and the like).
_OTHER_NAME = (62, 64)


class ConnectionLost(BackendError):
    """No connection could be made, or it ended before the reply; the request may be repeated."""


@dataclass(frozen=True)
class HttpReply:
    """A reply to an HTTP request.

    Attributes:
        status: HTTP status code.
        headers: by their names in lower case.
        body: bytes as they were sent.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection, kept between requests; for one request at a time.

    Args:
        url: address of the server.
        headers: sent with every request.
        context: certificates to trust.
    """

    def __init__(self, url: ServerUrl, headers: dict[str, str], context: ssl.SSLContext) -> None:
        self._url = url
        self._client = httpx.Client(
            base_url=url.text,
            # Replies are capped while they are read; a compressed one could be larger than it looks.
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
        """Send a request and read its reply.

        Args:
            method: HTTP method.
            path: relative to the server's URL.
            content: body of the request.
            headers: of this request.
            max_bytes: maximum size of a reply that is not an error; a longer one is not read.
            timeout_s: for each step of sending and reading.

        Raises:
            ConnectionLost: the server cannot be reached, or the connection ended.
            BackendError: the certificate is not trusted, or the reply is longer than expected.
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
        """Shut down the socket of a request that is under way, so that the thread in `exchange` returns soon."""
        with self._lock:
            self._cut = True
            _shut(self._socket)

    def close(self) -> None:
        """Close the connection while no request is under way."""
        self._client.close()

    def _note(self, event: str, info: dict[str, Any]) -> None:
        """Remember the socket; httpcore calls this, and offers no other way to learn it while a request runs."""
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
        host, tls_error = self._url.host, _tls_error(error)
        if isinstance(tls_error, ssl.SSLCertVerificationError):
            if tls_error.verify_code in _OTHER_NAME:
                return BackendError(
                    f"the certificate of {host} was issued for another name; use the name that it was issued for"
                )
            return BackendError(
                f"the certificate of {host} is not trusted ({tls_error.verify_message}); give the file of the "
                "authority that signed it, or contact the server's administrator"
            )
        if isinstance(error, httpx.ProxyError):
            return BackendError(
                f"the proxy of this network does not connect to {host}; check the variable HTTPS_PROXY, or list the "
                "server in NO_PROXY"
            )
        if isinstance(error, httpx.ConnectError) and tls_error is not None:
            return BackendError(
                f"{host} does not speak TLS; check name and port (a server on this machine may need http://)"
            )
        if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError) and not isinstance(
            error, httpx.ConnectError
        ):
            hint = "" if self._url.secure else ", or use https:// if the server speaks TLS"
            return ConnectionLost(f"{host} ended the connection without an answer; try again{hint}")
        return ConnectionLost(f"{host} cannot be reached; check the network and the address, then try again")


def _shut(connected: socket.socket | None) -> None:
    if connected is not None:
        with suppress(OSError):  # it is closed already
            # The plain socket's method: TLS's own would make a thread that is sending go on without encryption.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """Return the TLS error behind an error of httpx or httpcore, or None."""
    while error is not None and not isinstance(error, ssl.SSLError):
        inner = next((a for a in error.args if isinstance(a, BaseException)), None)
        error = inner or error.__cause__ or error.__context__
    return error
