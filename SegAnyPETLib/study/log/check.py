"""Whether a log is as it was written.

A chain of checksums finds what was edited, removed, added, moved or merged. The log's end is known from a second file,
the head, that holds the number of events and the last checksum: so a log cut short at the end of a line is found too.
Both together find accidents and careless edits. They cannot find who writes a whole new log with new checksums: against
him helps only a checksum that someone else was sent (``seganypet study check`` prints it).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.log.event import GENESIS, Event, event_of
from SegAnyPETLib.study.log.kinds import is_count, is_sha256


@dataclass(frozen=True)
class CheckedLog:
    """A log and what is wrong with it.

    Attributes:
        path: of the file.
        events: up to the first fault.
        faults: what shows that the file is not as it was written; it must not be analysed then.
        notes: what is no fault: a crash, or that the log is still open.
        torn_bytes: length of an unfinished last line, which a crash left.
        sha256: of the last whole line.
    """

    path: Path
    events: tuple[Event, ...]
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    torn_bytes: int
    sha256: str

    @property
    def sound(self) -> bool:
        """Whether there is no fault."""
        return not self.faults


def head_path(log: Path) -> Path:
    """Return where the head of a log is."""
    return log.with_suffix(".head.json")


def check_log(path: Path) -> CheckedLog:
    """Read a log and compare it with its checksums.

    Raises:
        InputError: there is no such file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"the log {path.name} cannot be read; check its path") from error
    lines = content.splitlines(keepends=True) if content else []
    torn = len(lines.pop()) if lines and not lines[-1].endswith(b"\n") else 0
    events: list[Event] = []
    checksums = [GENESIS]
    faults: list[str] = []
    for number, line in enumerate(lines):
        try:
            event, sha256 = event_of(line, checksums[-1])
            _check_same_log(event, number, events)
        except InputError as error:
            faults.append(f"{path.name}, line {number + 1}: {error}")
            break
        events.append(event)
        checksums.append(sha256)
    faults += _faults_of_head(path, checksums, bool(faults))
    notes = [] if faults else _notes(path, events, torn)
    return CheckedLog(path, tuple(events), tuple(faults), tuple(notes), torn, checksums[-1])


def check_logs(folder: Path) -> tuple[CheckedLog, ...]:
    """Check all logs of a folder, also against each other: one that was copied under another name is a fault.

    Args:
        folder: holds files ``READER.jsonl``.
    """
    checked = [check_log(path) for path in sorted(folder.glob("*.jsonl"))]
    ids = Counter(log.events[0].log for log in checked if log.events)
    result = []
    for log in checked:
        faults = list(log.faults)
        if log.events and ids[log.events[0].log] > 1:
            faults.append(f"{log.path.name}: another file holds the same log; remove the copy")
        if log.events and log.events[0].reader != log.path.stem:
            faults.append(f"{log.path.name}: the log is of reader {log.events[0].reader}; restore its name")
        result.append(CheckedLog(log.path, log.events, tuple(faults), log.notes, log.torn_bytes, log.sha256))
    return tuple(result)


def _check_same_log(event: Event, number: int, before: list[Event]) -> None:
    if event.number != number:
        raise InputError("the line has another number: lines were removed or added")
    if before and (event.log, event.reader) != (before[0].log, before[0].reader):
        raise InputError("the line is of another log: two were merged")
    if before and event.run == before[-1].run and event.mono_ms < before[-1].mono_ms:
        raise InputError("the monotonic clock ran backwards: the line was moved or the machine is faulty")
    if (event.kind == "log_opened") != (number == 0):
        raise InputError("a log is opened by its first line and by no other")


def _faults_of_head(path: Path, checksums: list[str], known: bool) -> list[str]:
    """Compare the log's end with its head, which is written after the log and so may lag behind it."""
    try:
        head = json.loads(head_path(path).read_bytes())
        count, sha256 = head["events"], head["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return [f"{path.name}: {head_path(path).name} is missing or unreadable, so the log's end is not known"]
    if not is_count(count) or not is_sha256(sha256):
        return [f"{path.name}: {head_path(path).name} was edited"]
    if count >= len(checksums):
        return [] if known else [f"{path.name}: {count} events were written and {len(checksums) - 1} are left"]
    return (
        [] if checksums[count] == sha256 else [f"{path.name}: it is not the log that {head_path(path).name} belongs to"]
    )


def _notes(path: Path, events: list[Event], torn: int) -> list[str]:
    notes = []
    crashes = sum(event.kind == "resumed" and bool(event.data["crashed"]) for event in events)
    if crashes:
        notes.append(f"{path.name}: went on after {crashes} crash{'es' if crashes > 1 else ''}")
    if torn:
        notes.append(f"{path.name}: ends amid a line of {torn} bytes, which was not yet on the disk")
    if not events or events[-1].kind != "log_closed":
        notes.append(f"{path.name}: was not closed")
    return notes
