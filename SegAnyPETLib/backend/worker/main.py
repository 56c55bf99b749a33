"""The worker process: a server of one model for the program that started it, and that it does not outlive.

Threads: the main thread imports, loads and then runs the event loop of the server; torch's work is done by the thread
of `Service`. One thread waits for the end of standard input and another one watches the parent, since the end of input
does not come while another process holds the pipe open, such as a child that the parent forked. Both end the process
without waiting for torch.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from SegAnyPETLib.backend.worker.settings import IMPORTING, LOADING, WARMING_UP, Report, WorkerSettings
from SegAnyPETLib.errors import BackendError, DeviceMissing, SegAnyPETError

if TYPE_CHECKING:
    from SegAnyPETLib.models.engine import Engine

STDIN = 0
STDOUT = 1
STDERR = 2
#: Seconds between two checks that the parent is alive.
CHECK_S = 0.5


def main(load: Callable[[WorkerSettings], Engine] | None = None) -> None:
    """Serve until the parent ends.

    Args:
        load: makes the engine; None for the model that the settings name.
    """
    first_parent = os.getppid()
    report = _take_stdout()
    settings = WorkerSettings.read(_first_line())
    threading.Thread(target=_exit_with_stdin, name="stdin", daemon=True).start()
    if os.name == "posix":
        watched = (settings.parent, first_parent)
        threading.Thread(target=_exit_with_parent, args=watched, name="parent", daemon=True).start()
    try:
        _serve(settings, report, load or load_engine)
    except SegAnyPETError as error:
        report(Report(error=error))
    except ModuleNotFoundError as error:
        report(
            Report(error=BackendError(f"the Python of the model's process lacks the package {error.name}; install it"))
        )


def load_engine(settings: WorkerSettings) -> Engine:
    """Load the engine that the settings name.

    Raises:
        DeviceMissing: the machine has no such device.
        InputError: the model is not known or not installed, or cannot run in the precision.
    """
    from SegAnyPETLib.backend.server.service import CACHE_BYTES
    from SegAnyPETLib.models.embedding_cache import EmbeddingCache
    from SegAnyPETLib.models.engine import Engine

    cache = EmbeddingCache(CACHE_BYTES)
    try:
        return Engine.load(settings.model, settings.device, settings.threads, settings.precision, cache)
    except DeviceMissing as error:
        raise DeviceMissing(f"{error}; it can run on the CPU instead") from error


def _serve(
    settings: WorkerSettings, report: Callable[[Report], None], load: Callable[[WorkerSettings], Engine]
) -> None:
    report(Report(IMPORTING))
    from SegAnyPETLib.backend.server.guards.bind import Address
    from SegAnyPETLib.backend.server.run import Server
    from SegAnyPETLib.backend.server.service import Service

    import_module("SegAnyPETLib.models.engine")  # torch takes longest
    report(Report(LOADING))
    service = Service([load(settings)])
    report(Report(WARMING_UP))
    server = Server(service, settings.token, Address(), ready=lambda: report(Report(port=server.port)))
    server.run_until_stopped()


def _take_stdout() -> Callable[[Report], None]:
    """Return a function that reports to the parent, and redirect all other output to standard error."""
    pipe = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)

    def report(entry: Report) -> None:
        os.write(pipe, entry.line())

    return report


def _first_line() -> bytes:
    # Python's own buffer over standard input would be locked by the thread that waits for its end.
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(STDIN, 1)
        if not part:
            os._exit(1)
        line += part
    return line


def _exit_with_stdin() -> None:
    """Exit as soon as standard input ends, which happens when the parent ends for any reason."""
    while os.read(STDIN, 1):
        pass
    os._exit(0)


def _exit_with_parent(parent: int, first_parent: int) -> None:
    """Exit as soon as the parent has ended, although a process that it forked may hold the pipe open.

    Linux's PR_SET_PDEATHSIG does not serve: it fires when the thread ends that started this process, not its process.

    Args:
        parent: process that asked for this one.
        first_parent: parent of this process when it began, which is a launcher in Slicer.
    """
    while _exists(parent) and os.getppid() == first_parent:
        time.sleep(CHECK_S)
    os._exit(0)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    main()
