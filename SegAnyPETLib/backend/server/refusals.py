"""Errors of the protocol; client and server share the codes. Loads nothing heavy."""

from __future__ import annotations

from SegAnyPETLib.errors import SegAnyPETError

#: HTTP status of each code.
STATUS_OF = {
    "bad_request": 400,
    "unauthorized": 401,
    "unknown_window": 404,
    "unknown_model": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "too_slow": 408,
    "too_large": 413,
    "unsupported_media_type": 415,
    "busy": 429,
    "failed": 500,
    "out_of_memory": 503,
    "starting": 503,
    "stopping": 503,
    "deadline": 504,
}

#: Seconds after which a client that was refused as "busy" may try again.
RETRY_AFTER_S = 1


class Refusal(SegAnyPETError):
    """An error of the protocol.

    Args:
        code: one of `STATUS_OF`.
        message: one line for the user.
        headers: additional headers of the response.
    """

    def __init__(self, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message = code, " ".join(message.split())
        self.headers = headers or {}

    @property
    def status(self) -> int:
        """HTTP status."""
        return STATUS_OF[self.code]


class ClientGone(SegAnyPETError):
    """The client has disconnected."""


def busy() -> Refusal:
    """Return the refusal of a server whose queue is full."""
    message = "the server is busy; try again in a moment"
    return Refusal("busy", message, {"Retry-After": str(RETRY_AFTER_S)})


def stopping() -> Refusal:
    """Return the refusal of a server that shuts down."""
    return Refusal("stopping", "the server is shutting down; try again when it is back")


def starting() -> Refusal:
    """Return the refusal of a server that is not ready yet."""
    return Refusal("starting", "the server is still starting; try again in a moment")
