"""A server's log: one JSON object per line.

It says what happened, when, how long it took and with which outcome. It contains no address, no client identifier, no
token, no window or its SHA-256, no point, and no message of an exception, since that may quote any of them; torch's own
messages, which name shapes and devices, are the exception.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from SegAnyPETLib.errors import InputError

#: Maximum size of a log file.
FILE_BYTES = 10 * 1024**2
#: Older log files that are kept.
OLDER_FILES = 5

#: Number of characters of a message that are kept.
MAX_MESSAGE = 300


class EventLog:
    """Write events. If the log cannot be written, lost events are counted and the server goes on.

    Args:
        file: log file; None for stderr.

    Raises:
        InputError: the file cannot be opened.
    """

    def __init__(self, file: Path | None = None) -> None:
        try:
            self._handler: _ToFile | _ToStderr = _ToStderr(sys.stderr) if file is None else _ToFile(file)
        except OSError as error:
            raise InputError(f"the log file {file} cannot be written: {error.strerror}") from error

    @property
    def lost(self) -> int:
        """Number of events that could not be written."""
        return self._handler.lost

    def write(self, level: str, event: str, **fields: object) -> None:
        """Log an event.

        Args:
            level: "info", "warning" or "error".
            event: name of the event, one word.
            fields: plain values; None is left out.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry: dict[str, object] = {"time": now, "level": level, "event": event}
        entry |= {name: value for name, value in fields.items() if value is not None}
        self._handler.handle(logging.makeLogRecord({"msg": json.dumps(entry)}))

    def failure(self, event: str, error: BaseException, **fields: object) -> None:
        """Log a bug: the exception's type and traceback, without its message."""
        frames = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
        message = str(error)[:MAX_MESSAGE] if type(error) is RuntimeError else None
        self.write("error", event, exception=type(error).__name__, message=message, frames=frames, **fields)

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


class _Counts(logging.Handler):
    """Count records that cannot be written, instead of printing a traceback."""

    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:
        self.lost += 1


class _ToStderr(_Counts, logging.StreamHandler):
    pass


class _ToFile(_Counts, RotatingFileHandler):
    def __init__(self, file: Path) -> None:
        super().__init__(file, maxBytes=FILE_BYTES, backupCount=OLDER_FILES, encoding="utf-8")

    def close(self) -> None:
        try:
            super().close()
        except OSError:
            self.lost += 1


class ToEvents(logging.Handler):
    """Pass warnings of other libraries on to a log, without their arguments."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Log a library's message before its arguments are filled in."""
        fields: dict[str, Any] = {"library": record.name, "message": str(record.msg).partition("\n")[0][:MAX_MESSAGE]}
        if record.exc_info and record.exc_info[1]:
            self._log.failure("library", record.exc_info[1], library=record.name)
        else:
            self._log.write("warning", "library", **fields)
