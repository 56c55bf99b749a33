"""What passes through a worker's pipes while it starts: settings to it, reports from it, one JSON object per line."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field

from SegAnyPETLib.errors import BackendError, DeviceMissing, InputError, OutOfMemory, SegAnyPETError

IMPORTING = "importing"
LOADING = "loading weights"
WARMING_UP = "warming up"

#: Exceptions that keep their type on the way; the first that matches is taken, so special ones come first.
_ERRORS: dict[str, type[SegAnyPETError]] = {
    kind.__name__: kind for kind in (DeviceMissing, InputError, OutOfMemory, BackendError)
}


@dataclass(frozen=True)
class WorkerSettings:
    """Written once to the worker's standard input, where other users cannot read the token.

    Attributes:
        model: name of the model, or path of a weights file.
        device: "cpu", "cuda" or "mps".
        threads: CPU threads; None for torch's default.
        precision: None for the model's own choice on the device.
        token: secret that requests must carry.
        parent: identifier of the process that asks.
    """

    model: str
    device: str = "cpu"
    threads: int | None = None
    precision: str | None = None
    token: str = ""
    parent: int = field(default_factory=os.getpid)

    def line(self) -> bytes:
        """Return the settings as they are sent."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> WorkerSettings:
        """Read what was sent."""
        return cls(**json.loads(line))


@dataclass(frozen=True)
class Report:
    """A message of a worker that starts; one of these is set.

    Attributes:
        stage: what the worker is doing.
        port: where it listens on 127.0.0.1, once it is ready.
        error: why it does not start.
    """

    stage: str = ""
    port: int = 0
    error: SegAnyPETError | None = None

    def line(self) -> bytes:
        """Return the report as it is sent."""
        error = self.error and {"kind": _kind(self.error), "message": str(self.error)}
        return json.dumps({"stage": self.stage, "port": self.port, "error": error}).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Report:
        """Read what was sent.

        Raises:
            BackendError: something else was sent.
        """
        try:
            fields = json.loads(line)
            error = fields["error"] and _ERRORS[fields["error"]["kind"]](fields["error"]["message"])
            return cls(str(fields["stage"]), int(fields["port"]), error)
        except (ValueError, TypeError, KeyError) as error:
            raise BackendError("the process of the model does not start as it should; restart the program") from error


def _kind(error: SegAnyPETError) -> str:
    return next((name for name, kind in _ERRORS.items() if isinstance(error, kind)), BackendError.__name__)
