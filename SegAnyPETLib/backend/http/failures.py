"""What an answer other than the expected one means to the user, and whether asking again may help."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from SegAnyPETLib.backend.http.connection import HttpReply
from SegAnyPETLib.errors import BackendError, OutOfMemory

#: How often a request is made in all: where the server comes and goes, and where it says that it failed.
TRIES_AWAY, TRIES_FAILED = 6, 2

#: Seconds that a busy server is given where it does not say, and at most where it does.
BUSY_S, MAX_BUSY_S = 1.0, 30.0


class UnknownWindow(BackendError):
    """The server has forgotten a window."""


@dataclass(frozen=True, eq=False)
class RetryAdvice:
    """An error, and what to do about it.

    Attributes:
        error: for the user.
        tries: how often the request may be made in all.
        wait_s: how long the server wants to be left alone; such answers do not count as tries.
    """

    error: BackendError
    tries: int = 1
    wait_s: float | None = None


def classify(answer: HttpReply, host: str) -> RetryAdvice:
    """Read an answer whose status is not 200.

    Args:
        answer: of a server, or of anything else that listens there.
        host: where it comes from.
    """
    code, message = _code_and_message(answer)
    if answer.status == 429:
        return RetryAdvice(BackendError("the server is busy; try again in a moment"), wait_s=_retry_after_s(answer))
    if code == "out_of_memory":
        return RetryAdvice(OutOfMemory(message or "the memory of the server's device does not suffice"))
    if code == "unknown_window":
        return RetryAdvice(UnknownWindow("the server forgets what it is sent; ask who runs it"))
    if code == "bad_request":
        return RetryAdvice(BackendError(f"the server refused the request: {message}"))
    if (code, answer.status) in _KNOWN:
        text, tries = _KNOWN[code, answer.status]
        return RetryAdvice(BackendError(text), tries)
    if answer.status in (502, 503):
        return RetryAdvice(BackendError("the server is away for the moment; try again"), TRIES_AWAY)
    if answer.status >= 500:
        return RetryAdvice(BackendError("the server failed; try again, or ask who runs it"), TRIES_FAILED)
    return RetryAdvice(BackendError(f"{host} is no SegAnyPET server, or another release; check its address"))


_KNOWN = {
    ("unauthorized", 401): ("the server does not accept the token; ask who runs it for the right one", 1),
    ("unknown_model", 404): ("the server runs other models or weights than before; connect to it again", 1),
    ("too_slow", 408): ("the network is too slow to send the image in time; try again", 1),
    ("too_large", 413): ("the request is larger than the server takes; segment fewer targets at a time", 1),
    ("failed", 500): ("the model failed on this request; try again, or ask who runs the server", TRIES_FAILED),
    ("starting", 503): ("the server is still starting; try again in a moment", TRIES_AWAY),
    ("stopping", 503): ("the server is shutting down; try again when it is back", TRIES_AWAY),
    ("deadline", 504): ("the answer took too long; try again, or use a faster device", 1),
}


def _code_and_message(answer: HttpReply) -> tuple[str, str]:
    """Code and message of an error, each "" where there is none; a message is one short printable line."""
    try:
        fields = json.loads(answer.body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return "", ""
    message = " ".join(str(fields.get("message", ""))[:300].split())
    return str(fields.get("error", "")), "".join(c for c in message if c.isprintable())


def _retry_after_s(answer: HttpReply) -> float:
    """Seconds; a date, which HTTP allows too, is not read."""
    text = answer.headers.get("retry-after", "")
    return min(float(text), MAX_BUSY_S) if re.fullmatch(r"[0-9]{1,9}", text) else BUSY_S
