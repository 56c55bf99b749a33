"""The worker process: a server of one model for the program that started it, which it does not outlive."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from SegAnyPETLib.backend.worker.settings import IMPORTING, LOADING, WARMING_UP, Report, WorkerSettings
from SegAnyPETLib.errors import BackendError, InputError, SegAnyPETError

if TYPE_CHECKING:
    from SegAnyPETLib.models.engine import Engine

STDIN, STDOUT, STDERR = 0, 1, 2


def main(load: Callable[[WorkerSettings], Engine] | None = None) -> None:
    """Serve until standard input ends.

    Args:
        load: makes the engine; the model that the settings name where None.
    """
    tell = _own_stdout()
    settings = WorkerSettings.read(_first_line())
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        _serve(settings, tell, load or load_engine)
    except SegAnyPETError as error:
        tell(Report(error=error))
    except ModuleNotFoundError as error:
        tell(
            Report(error=BackendError(f"the Python of the model's process lacks the package {error.name}; install it"))
        )


def load_engine(settings: WorkerSettings) -> Engine:
    """The engine that the settings name.

    Raises:
        InputError: the model is not known or not installed, or the device or precision is not there.
    """
    from SegAnyPETLib.models.device import checked_device
    from SegAnyPETLib.models.engine import Engine

    try:
        checked_device(settings.device)
    except InputError as error:
        raise InputError(f"{error}; it can run on the CPU instead") from error
    return Engine.load(settings.model, settings.device, settings.threads, settings.precision)


def _serve(settings: WorkerSettings, tell: Callable[[Report], None], load: Callable[[WorkerSettings], Engine]) -> None:
    tell(Report(IMPORTING))
    from SegAnyPETLib.backend.server.guards.bind import Address
    from SegAnyPETLib.backend.server.run import Server
    from SegAnyPETLib.backend.server.service import Service

    import_module("SegAnyPETLib.models.engine")  # torch takes the most time of all
    tell(Report(LOADING))
    service = Service([load(settings)])
    tell(Report(WARMING_UP))
    server = Server(service, settings.token, Address(), ready=lambda: tell(Report(port=server.port)))
    server.run_until_stopped()


def _own_stdout() -> Callable[[Report], None]:
    """A way to tell the parent something; whatever else is printed goes to standard error from here on."""
    pipe = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)

    def tell(report: Report) -> None:
        os.write(pipe, report.line())

    return tell


def _first_line() -> bytes:
    # Python's own buffer over standard input would be locked by the thread that waits for its end.
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(STDIN, 1)
        if not part:
            os._exit(1)
        line += part
    return line


def _end_with_parent() -> None:
    """Standard input ends when the parent does, however it does; then so does this process, whatever torch is doing."""
    while os.read(STDIN, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
