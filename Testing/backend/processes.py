"""Processes as Linux shows them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Seen:
    """A process that lives; another one that gets its number later is not equal.

    Attributes:
        pid: its number.
        began: when, in ticks.
    """

    pid: int
    began: int

    @property
    def title(self) -> str:
        """Its command line, which some processes change; "" where it has ended."""
        try:
            return (PROC / str(self.pid) / "cmdline").read_text(errors="replace")
        except OSError:
            return ""

    @property
    def ticks(self) -> int:
        """Of CPU time so far."""
        fields = _fields(self.pid)
        return 0 if fields is None else int(fields[11]) + int(fields[12])

    @property
    def alive(self) -> bool:
        """Whether it lives."""
        fields = _fields(self.pid)
        return fields is not None and int(fields[19]) == self.began and fields[0] != "Z"


def descendants(pid: int) -> list[Seen]:
    """All processes that a process has begun, and those that they have."""
    children: dict[int, list[Seen]] = {}
    for folder in PROC.iterdir():
        fields = _fields(int(folder.name)) if folder.name.isdigit() else None
        if fields is not None and fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(Seen(int(folder.name), int(fields[19])))
    found, todo = [], [pid]
    while todo:
        new = children.get(todo.pop(), [])
        found += new
        todo += [child.pid for child in new]
    return found


def wait_until(condition: Callable[[], object], within_s: float = 60.0) -> None:
    """Wait until something is so."""
    ends_at = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends_at, "it did not become so in time"
        time.sleep(0.02)


def _fields(pid: int) -> list[str] | None:
    """Of its status, from the third one on; None where there is no such process."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
