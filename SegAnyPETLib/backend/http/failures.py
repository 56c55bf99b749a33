"""What a reply other than the expected one means to the user, and whether repeating the request may help."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from SegAnyPETLib.backend.http.connection import HttpReply
from SegAnyPETLib.errors import BackendError, OutOfMemory

#: Maximum number of attempts if the server cannot be reached.
TRIES_AWAY = 6
#: Maximum number of attempts if the server reports that it failed.
TRIES_FAILED = 2

#: Seconds to wait for a busy server that does not state a time.
BUSY_S = 1.0
#: Maximum number of seconds to wait for a busy server that states one.
MAX_BUSY_S = 30.0


class UnknownWindow(BackendError):
    """The server no longer has a window."""


@dataclass(frozen=True, eq=False)
class RetryAdvice:
    """An error, and whether to repeat the request.

    Attributes:
        error: for the user.
        tries: maximum number of attempts in all.
        wait_s: seconds that a busy server asks for; such replies do not count as attempts.
    """

    error: BackendError
    tries: int = 1
    wait_s: float | None = None


def classify(reply: HttpReply, host: str, has_token: bool) -> RetryAdvice:
    """Return what a reply whose status is not 200 means.

    Args:
        reply: of a server, of a proxy in front of it, or of anything else that listens there.
        host: where it comes from.
        has_token: whether the request carried a token.
    """
    code, message = _code_and_message(reply)
    if reply.status == 429:
        return RetryAdvice(BackendError("the server is busy; try again in a moment"), wait_s=_retry_after_s(reply))
    if code == "out_of_memory":
        return RetryAdvice(OutOfMemory(message or "the memory of the server's device does not suffice"))
    if code == "unknown_window":
        return RetryAdvice(UnknownWindow("the server does not keep uploaded windows; contact its administrator"))
    if code == "bad_request":
        return RetryAdvice(BackendError(f"the server refused the request: {message}"))
    if code == "unauthorized" and not has_token:
        return RetryAdvice(BackendError("the server asks for a token; get one from its administrator and enter it"))
    if (code, reply.status) in _KNOWN:
        text, tries = _KNOWN[code, reply.status]
        return RetryAdvice(BackendError(text), tries)
    if reply.status in (502, 503):
        return RetryAdvice(BackendError("the server is away for the moment; try again"), TRIES_AWAY)
    if reply.status >= 500:
        return RetryAdvice(BackendError("the server failed; try again, or contact its administrator"), TRIES_FAILED)
    return RetryAdvice(BackendError(_not_ours(reply, host)))


_KNOWN = {
    ("unauthorized", 401): ("the server does not accept the token; get the right one from its administrator", 1),
    ("unknown_model", 404): ("the server runs other models or weights than before; connect to it again", 1),
    ("too_slow", 408): ("the network is too slow to send the image in time; try again", 1),
    ("too_large", 413): ("the request is larger than the server takes; segment fewer targets at a time", 1),
    ("failed", 500): ("the model failed on this request; try again, or contact the administrator", TRIES_FAILED),
    ("starting", 503): ("the server is still starting; try again in a moment", TRIES_AWAY),
    ("stopping", 503): ("the server is shutting down; try again when it is back", TRIES_AWAY),
    ("deadline", 504): ("the answer took too long; try again, or use a faster device", 1),
}


def _not_ours(reply: HttpReply, host: str) -> str:
    """Return a message about a reply that a proxy or another program gave."""
    if 300 <= reply.status < 400:
        location = _one_line(reply.headers.get("location", ""))
        return f"{host} sends on to another address ({location or 'not named'}); enter the address of the server itself"
    if reply.status == 407:
        return f"the proxy before {host} asks for a login (HTTP 407); ask the network's administrator for a way past it"
    if reply.status == 413:
        return (
            f"a proxy before {host} refuses requests of this size (HTTP 413); ask its administrator to allow 64 MB "
            "(nginx: client_max_body_size 64m)"
        )
    return f"{host} is not a SegAnyPET server, or is of another release; check its address"


def _code_and_message(reply: HttpReply) -> tuple[str, str]:
    """Return code and message of an error of the protocol, "" for what is missing; the message is one short line."""
    try:
        fields = json.loads(reply.body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return "", ""
    return str(fields.get("error", "")), _one_line(str(fields.get("message", "")))


def _one_line(text: str) -> str:
    return "".join(c for c in " ".join(text[:300].split()) if c.isprintable())


def _retry_after_s(reply: HttpReply) -> float:
    """Return seconds to wait; a date, which HTTP allows too, is not read."""
    text = reply.headers.get("retry-after", "")
    return min(float(text), MAX_BUSY_S) if re.fullmatch(r"[0-9]{1,9}", text) else BUSY_S
