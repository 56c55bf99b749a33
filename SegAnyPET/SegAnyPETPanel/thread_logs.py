"""Log records of threads beside the GUI thread: kept in a queue, and handled on the GUI thread.

Slicer logs everything from DEBUG on, and its handlers make Qt objects, which belong to the thread that made them.
"""

from __future__ import annotations

import logging
import threading
from queue import Empty, SimpleQueue
from typing import Any

from SegAnyPETPanel.guard import guardedTimer

#: Interval between two looks into the queue, in ms.
DELIVERY_MS = 250
#: Loggers of libraries that say something for every request or file.
TALKATIVE = ("httpx", "httpcore", "huggingface_hub", "urllib3", "filelock", "fsspec")


class ThreadLogs:
    """Diverts records of other threads from the root logger's handlers until `close`.

    Args:
        parent: the widget that owns the timer.
    """

    def __init__(self, parent: Any) -> None:
        self._waiting: SimpleQueue[tuple[logging.Handler, logging.LogRecord]] = SimpleQueue()
        self._diverted: dict[logging.Handler, _Diversion] = {}
        self._guiThread = threading.get_ident()
        quieten()
        self._divert()
        self._timer = guardedTimer(parent, DELIVERY_MS, self.deliver)
        self._timer.start()

    def deliver(self) -> None:
        """Handle what other threads have logged; only for the GUI thread."""
        self._divert()
        while True:
            try:
                handler, record = self._waiting.get_nowait()
            except Empty:
                return
            handler.handle(record)

    def close(self) -> None:
        """Handle what waits, and let records go their own way again."""
        self._timer.stop()
        self.deliver()
        for handler, diversion in self._diverted.items():
            handler.removeFilter(diversion)
        self._diverted.clear()

    def _divert(self) -> None:
        """Divert from handlers that are not diverted yet: other modules may add some at any time."""
        for handler in logging.getLogger().handlers:
            if handler not in self._diverted:
                self._diverted[handler] = _Diversion(handler, self._waiting, self._guiThread)
                handler.addFilter(self._diverted[handler])


class _Diversion(logging.Filter):
    """Passes records of the GUI thread, and queues those of others."""

    def __init__(
        self,
        handler: logging.Handler,
        waiting: SimpleQueue[tuple[logging.Handler, logging.LogRecord]],
        guiThread: int,
    ) -> None:
        super().__init__()
        self._handler = handler
        self._waiting = waiting
        self._guiThread = guiThread

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the handler may take the record now."""
        if threading.get_ident() == self._guiThread:
            return True
        record.msg, record.args = record.getMessage(), None  # its arguments may change meanwhile
        self._waiting.put((self._handler, record))
        return False


def quieten() -> None:
    """Let talkative libraries log warnings only, unless the user has set a level for them."""
    for name in TALKATIVE:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)
