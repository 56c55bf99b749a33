"""Writing a log while a reader works, beside the thread that he works in."""

from __future__ import annotations

import json
import os
import queue
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from uuid import uuid4

from filelock import FileLock, Timeout

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.study.log.check import check_log, head_path
from SegAnyPETLib.study.log.clock import Clock, SystemClock
from SegAnyPETLib.study.log.event import GENESIS, Event, line_of
from SegAnyPETLib.study.log.kinds import check_event, is_code

#: Every so often waiting for the disk looks whether the writing thread is still there.
POLL_S = 0.1


class EventLog:
    """The log of one reader; it is made, or gone on with where an earlier run ended or crashed.

    An event gets its time when it is added; a thread of its own writes it to the disk. Only one program at a time
    writes a log.

    Args:
        path: ``READER.jsonl``; the head lies beside it.
        plan_sha256: of the study, see `plan.folder.Study`.
        software: version of the program.
        clock: of a simulated reader; the machine's clocks if None.

    Raises:
        InputError: the name is no code of a reader, the log was changed since, belongs to another plan, or is open in
            another window.
        SegAnyPETError: the file cannot be written.
    """

    def __init__(self, path: Path, plan_sha256: str, software: str, clock: Clock | None = None) -> None:
        if not is_code(path.stem):
            raise InputError(f"{path.stem!r} is no code of a reader; use letters and digits, no name")
        self._path, self._reader, self._run = path, path.stem, uuid4().hex
        self.clock: Clock = clock or SystemClock()
        self._lock = FileLock(path.with_suffix(".lock"))
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(f"reader {self._reader} is signed in elsewhere; close the other window first") from error
        self._waiting: queue.SimpleQueue[Event | threading.Event | None] = queue.SimpleQueue()
        self._failure: OSError | None = None
        self._adding = threading.Lock()
        self._written = 0
        try:
            first = self._opened(plan_sha256, software)
            self._file: IO[bytes] = path.open("ab")
        except OSError as error:
            self._lock.release()
            raise SegAnyPETError(
                f"{path.name} cannot be written; check the free space and your rights there"
            ) from error
        except InputError:
            self._lock.release()
            raise
        self._thread = threading.Thread(target=self._write, name="study log", daemon=True)
        self._thread.start()
        self.add(first[0], **first[1])
        self.sync()

    def __enter__(self) -> EventLog:
        """Return the log."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def add(self, kind: str, **data: Any) -> None:
        """Add an event that happens now; it returns before the disk has it.

        Raises:
            InputError: the kind or a field has no place in a log, see `kinds.check_event`.
            SegAnyPETError: an earlier event could not be written.
        """
        check_event(kind, data)
        self._tell_failure()
        with self._adding:
            clocks = self.clock.wall_ms(), self.clock.mono_ms()
            event = Event(self._number, self._log, self._run, self._reader, kind, *clocks, data)
            self._number += 1
            self._waiting.put(event)

    def sync(self) -> None:
        """Wait until the disk has every event.

        Raises:
            SegAnyPETError: one could not be written.
        """
        done = threading.Event()
        self._waiting.put(done)
        while not done.wait(POLL_S) and self._thread.is_alive():
            pass
        self._tell_failure()

    def close(self) -> None:
        """Write that the log is closed, and close it; a second time does nothing."""
        if not self._lock.is_locked:
            return
        try:
            self.add("log_closed")
            self.sync()
        finally:
            self._waiting.put(None)
            self._thread.join()
            self._file.close()
            self._lock.release()

    def _opened(self, plan_sha256: str, software: str) -> tuple[str, dict[str, Any]]:
        """Find where the log goes on; return the event that says so."""
        if not self._path.exists():
            self._log, self._number, self._sha256 = uuid4().hex, 0, GENESIS
            self._write_head()  # before the log: a log without head is one whose end is not known
            return "log_opened", {"plan_sha256": plan_sha256, "software": software}
        checked = check_log(self._path)
        if checked.faults:
            raise InputError(f"{checked.faults[0]}; restore the log from a copy before going on")
        if checked.torn_bytes:
            with self._path.open("r+b") as file:
                file.truncate(file.seek(0, os.SEEK_END) - checked.torn_bytes)
        self._number = self._written = len(checked.events)
        self._sha256 = checked.sha256
        if not checked.events:
            self._log = uuid4().hex
            return "log_opened", {"plan_sha256": plan_sha256, "software": software}
        if checked.events[0].data["plan_sha256"] != plan_sha256:
            raise InputError(f"{self._path.name} belongs to another plan; each study has a folder of its own")
        self._log = checked.events[0].log
        crashed = checked.events[-1].kind != "log_closed"
        return "resumed", {"crashed": crashed, "torn_bytes": checked.torn_bytes}

    def _write(self) -> None:
        """Write what waits, all that is there at a time, until None comes."""
        while True:
            batch = [self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get())
            try:
                self._write_events([item for item in batch if isinstance(item, Event)])
            except OSError as error:
                self._failure = error
            for item in batch:
                if isinstance(item, threading.Event):
                    item.set()
            if None in batch or self._failure is not None:
                return

    def _write_events(self, events: list[Event]) -> None:
        if not events:
            return
        lines = []
        for event in events:
            line, self._sha256 = line_of(event, self._sha256)
            lines.append(line)
        self._file.write(b"".join(lines))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._written = events[-1].number + 1
        self._write_head()

    def _write_head(self) -> None:
        head = head_path(self._path)
        temporary = head.with_suffix(".new")
        with temporary.open("w", encoding="ascii") as file:
            json.dump({"events": self._written, "sha256": self._sha256}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, head)

    def _tell_failure(self) -> None:
        if self._failure is not None:
            raise SegAnyPETError(
                f"{self._path.name} could not be written; stop reading, check the free space and open the study again"
            ) from self._failure
