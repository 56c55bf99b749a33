"""What a worker process is told, and what it tells, one JSON object a line through its pipes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from SegAnyPETLib.errors import BackendError, InputError, OutOfMemory, SegAnyPETError

IMPORTING, LOADING, WARMING_UP = "importing", "loading weights", "warming up"

_ERRORS: dict[str, type[SegAnyPETError]] = {e.__name__: e for e in (InputError, OutOfMemory, BackendError)}


@dataclass(frozen=True)
class WorkerSettings:
    """Told once, on the worker's standard input, so that nobody else gets to see the token.

    Attributes:
        model: its name, or the path of a weights file.
        device: "cpu", "cuda" or "mps".
        threads: of the CPU, torch's default where None.
        precision: None for the model's own choice on the device.
        token: what requests must carry.
    """

    model: str
    device: str = "cpu"
    threads: int | None = None
    precision: str | None = None
    token: str = ""

    def line(self) -> bytes:
        """As it is sent."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> WorkerSettings:
        """From what was sent."""
        return cls(**json.loads(line))


@dataclass(frozen=True)
class Report:
    """What a worker tells while it starts; one of these.

    Attributes:
        stage: what it does now.
        port: where it listens on 127.0.0.1, now that it is ready.
        error: why it does not start.
    """

    stage: str = ""
    port: int = 0
    error: SegAnyPETError | None = None

    def line(self) -> bytes:
        """As it is sent."""
        error = self.error and {"kind": _kind(self.error), "message": str(self.error)}
        return json.dumps({"stage": self.stage, "port": self.port, "error": error}).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Report:
        """From what was sent.

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
