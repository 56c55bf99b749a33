"""Double of the handler that Slicer puts on Python's root logger, which takes everything from DEBUG on."""

from __future__ import annotations

import logging
import threading


class ApplicationLog(logging.Handler):
    """Notes records. The real one makes Qt objects for each, so it may run in the GUI thread only.

    Attributes:
        records: what was logged, in order.
        misplaced: records that were handled in another thread; the harness fails the test for them.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []
        self.misplaced: list[str] = []
        self._gui_thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if threading.get_ident() != self._gui_thread:
            self.misplaced.append(f"{record.threadName}: {record.name}: {record.getMessage()}")
        self.records.append(record)

    @property
    def lines(self) -> list[str]:
        """Logger and message of each record."""
        return [f"{record.name}: {record.getMessage()}" for record in self.records]


class RootLogger:
    """Python's root logger as Slicer sets it up, for the time of a test.

    Attributes:
        log: the handler.
    """

    def __init__(self) -> None:
        self.log = ApplicationLog()
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(logging.DEBUG)
        root.addHandler(self.log)

    def restore(self) -> None:
        """Leave it as it was before the test."""
        root = logging.getLogger()
        root.removeHandler(self.log)
        root.setLevel(self._level)
