"""A worker process as its parent sees it.

Threads: two threads per process read its standard output (reports) and its standard error (the last lines), and end
with it. `wait_ready` takes reports from a queue, so any one thread may call it; `ended` and `kill` may be called from
any thread at any time.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

import SegAnyPETLib
from SegAnyPETLib.backend.worker.settings import Report, WorkerSettings
from SegAnyPETLib.errors import BackendError, InputError

#: Run the worker with the library that this process uses, wherever it is, and nothing of the current folder.
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from SegAnyPETLib.backend.worker.main import main; main()"
_LIBRARY = str(Path(SegAnyPETLib.__file__).resolve().parents[1])

#: Number of lines of standard error that are kept, the last ones.
LAST_LINES = 40
#: Number of characters that are kept of each.
LINE_CHARACTERS = 400
#: Seconds that a process whose pipes are closed gets to end, and its last lines to arrive.
LAST_LINES_S = 1.0
#: Maximum size of a report.
MAX_REPORT_BYTES = 64 * 1024


class WorkerProcess:
    """A process that ends with this object, and with the current process, even if that is killed.

    Args:
        python: interpreter to run it with.
        settings: sent to it.

    Raises:
        BackendError: the interpreter does not start.
    """

    def __init__(self, python: str, settings: WorkerSettings) -> None:
        try:
            self._process = subprocess.Popen(
                [python, "-P", "-c", _BOOT, _LIBRARY],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=os.name == "posix",  # Ctrl+C in a terminal is meant for the parent
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise BackendError(f"{python} does not start: {error.strerror}") from error
        self._end = weakref.finalize(self, _kill, self._process)
        self._reports: SimpleQueue[bytes] = SimpleQueue()
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        _in_background(_read_reports, self._process.stdout, self._reports)
        self._listener = _in_background(_read_lines, self._process.stderr, self._last_lines)
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended already, as `wait_ready` will find
            self._process.stdin.write(settings.line())
            self._process.stdin.flush()  # not closed: that tells the worker to end

    @property
    def pid(self) -> int:
        """Process identifier."""
        return self._process.pid

    def wait_ready(self, deadline_s: float, progress: Callable[[str], None]) -> int:
        """Wait until it listens, and return its port.

        Args:
            deadline_s: seconds from now.
            progress: called with each stage of the start.

        Raises:
            DeviceMissing: the machine has no such device.
            InputError: the model is not known or not installed, or cannot run in the precision.
            BackendError: the process ended, or is not ready in time.
        """
        ends_at = time.monotonic() + deadline_s
        while True:
            try:
                line = self._reports.get(timeout=max(0.0, ends_at - time.monotonic()))
            except Empty:
                raise BackendError(
                    f"the process of the model did not start within {deadline_s:g} s; try again"
                ) from None
            if not line:
                raise self.failure()
            report = Report.read(line)
            if report.error is not None:
                raise report.error
            if report.port:
                return report.port
            progress(report.stage)

    def ended(self, within_s: float = 0.0) -> bool:
        """Return whether it has ended, or does so within a time."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def failure(self) -> BackendError:
        """Build the error for an unexpected exit; the last lines of standard error are attached as a note."""
        self.ended(within_s=LAST_LINES_S)
        self._listener.join(LAST_LINES_S)
        error = BackendError(
            f"the process of the model ended unexpectedly ({_cause(self._process.returncode)}); try again, and if it "
            "ends again close other programs or choose another device"
        )
        error.add_note("\n".join(self._last_lines.copy()))
        return error

    def kill(self) -> None:
        """Kill it, and return when it has ended."""
        self._end()


def python_beside(executable: str) -> str:
    """Return the interpreter for a worker: this process's own, or that of the application that this process is.

    Raises:
        InputError: none was found.
    """
    if Path(executable).stem.lower().startswith("python"):
        return executable
    found = shutil.which(
        "PythonSlicer", path=os.pathsep.join([str(Path(executable).parent), os.environ.get("PATH", "")])
    )
    if found is None:
        raise InputError("no Python was found to run the model with; name one")
    return found


def _cause(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        with suppress(ValueError):
            return signal.Signals(-returncode).name
    return "it does not end" if returncode is None else f"exit code {returncode}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdin is not None:  # the threads that read the other pipes close them
        with suppress(OSError):
            process.stdin.close()


def _in_background(work: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, name="worker's pipe", daemon=True)
    thread.start()
    return thread


def _read_reports(pipe: IO[bytes], reports: SimpleQueue[bytes]) -> None:
    """Pass lines on, and an empty one at the end."""
    with pipe:
        while line := pipe.readline(MAX_REPORT_BYTES):
            reports.put(line)
    reports.put(b"")


def _read_lines(pipe: IO[bytes], last: deque[str]) -> None:
    with pipe:
        while line := pipe.readline(MAX_REPORT_BYTES):
            last.append(line.decode(errors="replace").rstrip()[:LINE_CHARACTERS])
