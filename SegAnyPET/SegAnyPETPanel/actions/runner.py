"""Run functions in a background thread, one at a time, with callbacks on the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from SegAnyPETPanel.guard import guardedTimer

#: Interval between two polls of the running function, in ms.
POLL_MS = 30
#: Seconds that each poll waits: in Slicer, other Python threads run only while the GUI thread's Python code waits.
YIELD_S = 0.012


class Runner:
    """A background thread for one function at a time, polled by a timer of the GUI thread.

    Args:
        parent: the widget that owns the timer.
    """

    def __init__(self, parent: Any) -> None:
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="SegAnyPET")
        self._future: Future[None] | None = None
        self._callbacks: tuple[Callable[[], None], Callable[[BaseException], None], Callable[[], None]] | None = None
        self._timer = guardedTimer(parent, POLL_MS, self._poll)

    @property
    def busy(self) -> bool:
        """Whether a function was started whose end has not been reported yet."""
        return self._future is not None

    def start(
        self,
        function: Callable[[], None],
        onDone: Callable[[], None],
        onError: Callable[[BaseException], None],
        onPoll: Callable[[], None],
    ) -> None:
        """Run a function in the thread; the callbacks run on the GUI thread.

        Args:
            function: runs in the thread.
            onDone: called after it returned.
            onError: called with what it raised.
            onPoll: called at each poll while it runs.

        Raises:
            RuntimeError: another function runs.
        """
        if self.busy:
            raise RuntimeError("the runner runs one function at a time")
        self._callbacks = onDone, onError, onPoll
        self._future = self._threads.submit(function)
        self._timer.start()

    def close(self) -> None:
        """Stop calling back; the thread ends with the function that runs."""
        self._timer.stop()
        self._future = None
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _poll(self) -> None:
        future, callbacks = self._future, self._callbacks
        if future is None or callbacks is None:
            return
        onDone, onError, onPoll = callbacks
        wait([future], timeout=YIELD_S)
        if not future.done():
            onPoll()
            return
        self._timer.stop()
        self._future = self._callbacks = None
        error = future.exception()
        if error is None:
            onDone()
        else:
            onError(error)
