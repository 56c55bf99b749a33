"""An event, and the line of a log that holds it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.log.kinds import VERSION, check_event

#: What the first line of a log refers to.
GENESIS = "0" * 64
#: Keys of a line, in their order.
KEYS = ("v", "n", "log", "run", "reader", "kind", "wall_ms", "mono_ms", "data", "prev", "sha")


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        number: its place in the log, from 0.
        log: hexadecimal id of the log.
        run: hexadecimal id of the run of the program; the monotonic clocks of two runs cannot be compared.
        reader: code.
        kind: of `kinds.KINDS`.
        wall_ms: UTC, ms since 1970.
        mono_ms: monotonic clock of the run in ms.
        data: fields of its kind.
    """

    number: int
    log: str
    run: str
    reader: str
    kind: str
    wall_ms: int
    mono_ms: int
    data: Mapping[str, Any]


def line_of(event: Event, previous_sha256: str) -> tuple[bytes, str]:
    """Return the line of an event, with its end, and the SHA-256 that the next line refers to."""
    content = {
        "v": VERSION,
        "n": event.number,
        "log": event.log,
        "run": event.run,
        "reader": event.reader,
        "kind": event.kind,
        "wall_ms": event.wall_ms,
        "mono_ms": event.mono_ms,
        "data": dict(event.data),
        "prev": previous_sha256,
    }
    sha256 = hashlib.sha256(_text(content)).hexdigest()
    return _text(content | {"sha": sha256}) + b"\n", sha256


def event_of(line: bytes, previous_sha256: str) -> tuple[Event, str]:
    """Read a line that must refer to the one before it.

    Args:
        line: with its end.
        previous_sha256: of the line before; `GENESIS` for the first.

    Returns:
        The event, and the line's SHA-256.

    Raises:
        InputError: the line is not as this library writes it, byte for byte.
    """
    try:
        content = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("the line is no event") from error
    if not isinstance(content, dict) or tuple(content) != KEYS:
        raise InputError("the line is no event")
    if content["v"] != VERSION:
        raise InputError(f"the log is of version {content['v']!r}, and this program reads {VERSION}")
    if content["prev"] != previous_sha256:
        raise InputError("the line does not follow the one before it: lines were removed, added or moved")
    event = Event(*(content[key] for key in KEYS[1:-2]))
    if not isinstance(event.data, dict):
        raise InputError("the line is no event")
    expected, sha256 = line_of(event, previous_sha256)
    if expected != line:
        raise InputError("the line was edited: its checksum is another")
    check_event(event.kind, event.data)
    return event, sha256


def _text(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=True).encode()
