"""The client of a server that runs a model, on another machine or in a worker process of this one.

Threads: any thread may call any method of `HttpBackend`, several at a time. Each request runs on a thread of its own
(see `pending`), so that cancelling and deadlines do not depend on the network; the thread that asked waits. `_lock`
guards the idle connections and the list of uploaded windows; it is never held while anything is sent or received.
"""

from __future__ import annotations

import random
import secrets
import ssl
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from SegAnyPETLib import __version__
from SegAnyPETLib.backend.http.connection import Connection, ConnectionLost, HttpReply
from SegAnyPETLib.backend.http.failures import TRIES_AWAY, RetryAdvice, UnknownWindow, classify
from SegAnyPETLib.backend.http.pending import PendingRequest, PendingRequests
from SegAnyPETLib.backend.http.server_url import ServerUrl
from SegAnyPETLib.backend.messages.frame import MAX_HEADER_BYTES, MEDIA_TYPE
from SegAnyPETLib.backend.messages.requests import PredictRequest, pack_request, unpack_predictions
from SegAnyPETLib.backend.messages.server_info import ServerInfo, read_busy, read_server_info
from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.backend.token import check_token
from SegAnyPETLib.errors import BackendError, InputError

if TYPE_CHECKING:
    from SegAnyPETLib.models.spec import ModelSpec

#: Seconds before a request is made again, each time longer: 6 s in all, in which a server can restart.
PAUSES_S = (0.1, 0.3, 0.8, 1.8, 3.0)
#: Seconds in which a server must state what it runs.
CONNECT_DEADLINE_S = 20.0
#: Windows that the client remembers to have sent; a server keeps fewer.
MAX_UPLOADED = 1024
#: Bytes of an answer about the server.
MAX_INFO_BYTES = 1 << 20


@dataclass(frozen=True)
class _HttpRequest:
    """The parts of a request that stay the same from try to try."""

    method: str
    path: str
    content: bytes
    headers: dict[str, str]
    max_bytes: int


class HttpBackend:
    """Send requests to a server. Any thread may call it, several at a time.

    The voxels of a window are sent once, then only prompts and masks; if the server has forgotten a window, it is sent
    again. Requests are repeated if the server is busy or restarts.

    Args:
        url: address of the server.
        token: secret that it asks for.
        model: which of its models; None for the first one.
        ca_file: PEM file of the authority that signed the server's certificate; None for those of the system.
        deadline_s: seconds after which `predict` gives up.
        tries: maximum number of attempts while the server cannot be reached.

    Raises:
        InputError: the address, the token or the file cannot be used, or others could read what is sent.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        model: str | None = None,
        ca_file: str | Path | None = None,
        deadline_s: float = 120.0,
        tries: int = TRIES_AWAY,
    ) -> None:
        self._url = ServerUrl(url)
        self._model = model
        self._deadline_s = deadline_s
        self._tries = tries
        self._headers = {"User-Agent": f"SegAnyPET/{__version__}", "X-Client": secrets.token_hex(8)}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {check_token(token)}"
        self._context = _trust(self._url, ca_file)
        self._info: ServerInfo | None = None
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._pending = PendingRequests()
        self._uploaded: OrderedDict[str, None] = OrderedDict()

    @property
    def url(self) -> str:
        """Address of the server."""
        return self._url.text

    @property
    def pending(self) -> int:
        """Number of requests under way."""
        return len(self._pending)

    @property
    def spec(self) -> ModelSpec:
        """Specification of the model; the first use asks the server, see `connect`."""
        return (self._info or self.connect()).spec(self._model)

    @property
    def device(self) -> str:
        """Device and precision of the model on the server; the first use asks the server."""
        return (self._info or self.connect()).devices[self.spec.name]

    def connect(self) -> ServerInfo:
        """Ask the server what it runs; call it again after the server has changed.

        Raises:
            InputError: the server does not run the model.
            BackendError: the server cannot be reached, refuses the token, or is of another release.
            Cancelled: `cancel` was called meanwhile.
        """
        request = _HttpRequest("GET", "v1/models", b"", {}, MAX_INFO_BYTES)
        with self._pending.begun(min(self._deadline_s, CONNECT_DEADLINE_S)) as pending:
            info = read_server_info(self._ask(pending, request, min(self._tries, 2)).body)
        info.spec(self._model)
        self._info = info
        return info

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        """Segment targets in a window.

        Raises:
            Cancelled: `cancel` was called meanwhile.
            OutOfMemory: the memory of the server's device does not suffice.
            BackendError: the server cannot be reached, refuses, fails, or answers nonsense.
            InputError: the server does not run the model.
        """
        spec = self.spec
        with self._pending.begun(self._deadline_s) as pending:
            return self.predict_during(pending, spec, image, targets)

    def predict_during(
        self, pending: PendingRequest, spec: ModelSpec, image: WindowImage, targets: Sequence[TargetPrompts]
    ) -> list[Prediction]:
        """Do what `predict` does, as part of a request that the caller started and may cancel."""
        try:
            reply = self._ask_model(pending, spec, image, targets, upload=not self._has_uploaded(image))
        except UnknownWindow:
            reply = self._ask_model(pending, spec, image, targets, upload=True)
        self._note_uploaded(image)
        try:
            return unpack_predictions(reply.body, len(targets), spec.size)
        except InputError as error:
            raise BackendError(f"the server's answer cannot be used: {error}") from error

    def busy(self, deadline_s: float) -> bool:
        """Return whether the server works on a request of any client.

        Raises:
            BackendError: the server does not answer in time.
        """
        request = _HttpRequest("GET", "v1/health", b"", {}, MAX_INFO_BYTES)
        with self._pending.begun(deadline_s) as pending:
            return read_busy(self._ask(pending, request, 1).body)

    def cancel(self) -> None:
        """Make every `predict` that is running raise `Cancelled`; returns at once."""
        self._pending.cancel()

    def close(self) -> None:
        """Cancel what is running and close idle connections; the backend may be used again."""
        self.cancel()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self) -> HttpBackend:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask_model(
        self,
        pending: PendingRequest,
        spec: ModelSpec,
        image: WindowImage,
        targets: Sequence[TargetPrompts],
        upload: bool,
    ) -> HttpReply:
        content = pack_request(
            PredictRequest(
                spec.name, spec.sha256, image.sha256, image.spacing_mm, image if upload else None, tuple(targets)
            )
        )
        # Ray Serve sends requests of one id to the replica that has seen it before.
        headers = {"Content-Type": MEDIA_TYPE, "serve_multiplexed_model_id": image.sha256}
        max_bytes = MAX_HEADER_BYTES + len(targets) * 2 * spec.size**3
        return self._ask(pending, _HttpRequest("POST", "v1/predict", content, headers, max_bytes), self._tries)

    def _ask(self, pending: PendingRequest, request: _HttpRequest, tries: int) -> HttpReply:
        """Return the reply to a request, which is repeated while that may help and the deadline has not passed."""
        failed = 0
        while True:
            try:
                reply = self._exchange(pending, request)
                if reply.status == httpx.codes.OK:
                    return reply
                advice = classify(reply, self._url.host, has_token="Authorization" in self._headers)
            except ConnectionLost as error:
                advice = RetryAdvice(error, TRIES_AWAY)
            pause_s = advice.wait_s
            if pause_s is None:
                failed += 1
                if failed >= min(advice.tries, tries):
                    raise advice.error
                pause_s = PAUSES_S[min(failed, len(PAUSES_S)) - 1]
            pause_s *= random.uniform(1.0, 1.5)  # so that clients who were refused together do not return together
            if pause_s >= pending.left_s:
                raise advice.error
            pending.pause(pause_s)

    def _exchange(self, pending: PendingRequest, request: _HttpRequest) -> HttpReply:
        connection = self._take_connection()
        left_s = max(pending.left_s, 1e-3)
        headers = request.headers | {"X-Deadline-S": f"{left_s:.3f}"}
        reply = pending.run(
            lambda: connection.exchange(
                request.method, request.path, request.content, headers, request.max_bytes, left_s
            ),
            connection.cut,
        )
        with self._lock:
            self._idle.append(connection)
        return reply

    def _take_connection(self) -> Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Connection(self._url, self._headers, self._context)

    def _has_uploaded(self, image: WindowImage) -> bool:
        with self._lock:
            return image.sha256 in self._uploaded

    def _note_uploaded(self, image: WindowImage) -> None:
        with self._lock:
            self._uploaded[image.sha256] = None
            self._uploaded.move_to_end(image.sha256)
            if len(self._uploaded) > MAX_UPLOADED:
                self._uploaded.popitem(last=False)


def _trust(url: ServerUrl, ca_file: str | Path | None) -> ssl.SSLContext:
    """Return the certificates to trust; none for plain HTTP, since loading them takes time."""
    if not url.secure:
        if ca_file is not None:
            raise InputError("a certificate's authority is of use for addresses that begin with https:// only")
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is None:
        context = httpx.create_ssl_context()
        context.load_default_certs()  # beside those of the package certifi
        return context
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"{ca_file} cannot be used: it must be a PEM file with an authority's certificate") from error
