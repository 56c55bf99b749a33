"""Work beside the GUI's thread, one piece at a time."""

from concurrent.futures import ThreadPoolExecutor, wait

import qt

from SegAnyPETPanel.guard import guarded

#: Between two looks at the work, in ms.
POLL_MS = 30
#: Each look waits for so long: in Slicer, other Python threads run only while Python code of the GUI's thread waits.
YIELD_S = 0.012


class Runner:
    """Runs functions in a thread of its own, and calls back on the GUI's thread.

    Args:
        parent: the widget that the timer belongs to.
        onPoll: called at each look.
    """

    def __init__(self, parent, onPoll):
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="SegAnyPET")
        self._future = None
        self._onPoll = onPoll
        self._timer = qt.QTimer(parent)
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", guarded(self._poll))

    @property
    def busy(self):
        """Whether something runs whose end is waited for."""
        return self._future is not None

    def start(self, work, onDone, onError):
        """Run a function.

        Args:
            work: runs in the thread.
            onDone: called with its result.
            onError: called with what it raised.
        """
        if self.busy:
            raise RuntimeError("one piece of work at a time")
        self._onDone, self._onError = onDone, onError
        self._future = self._threads.submit(work)
        self._timer.start()

    def close(self):
        """Call back no more; the thread ends with what runs."""
        self._timer.stop()
        self._future = None
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _poll(self):
        future = self._future
        if future is None:
            return
        wait([future], timeout=YIELD_S)
        if not future.done():
            self._onPoll()
            return
        self._timer.stop()
        self._future = None
        error = future.exception()
        if error is None:
            self._onDone(future.result())
        else:
            self._onError(error)
