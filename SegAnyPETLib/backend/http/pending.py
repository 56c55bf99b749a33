"""Requests that are under way: another thread can cancel them, and they have a deadline.

Threads: the thread that asks waits in `PendingRequest.run`, while a thread that is started for each request does the
work and hands its outcome over through a queue. A cancelled or overdue request leaves its thread behind, which ends
when the work notices that it was abandoned. `PendingRequests` guards its set with a lock of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from SegAnyPETLib.errors import BackendError, Cancelled

T = TypeVar("T")


class Overdue(BackendError):
    """The deadline has passed."""


class PendingRequest:
    """Wait on behalf of one thread, while any other may cancel.

    Args:
        deadline_s: seconds from now.
    """

    def __init__(self, deadline_s: float) -> None:
        self.renew(deadline_s)
        self._cancelled = threading.Event()
        self._outcomes: SimpleQueue[tuple[Any, Exception | None] | None] = SimpleQueue()

    def renew(self, deadline_s: float) -> None:
        """Begin another part of the request, with a deadline of its own."""
        self.deadline_s = deadline_s
        self._ends_at = time.monotonic() + deadline_s

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._ends_at - time.monotonic())

    def cancel(self) -> None:
        """Make the waiting thread raise `Cancelled`; returns at once."""
        self._cancelled.set()
        self._outcomes.put(None)

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            Cancelled: `cancel` was called, now or earlier.
        """
        if self._cancelled.wait(min(seconds, self.left_s)):
            raise Cancelled

    def run(self, work: Callable[[], T], abandon: Callable[[], None]) -> T:
        """Run some work on a thread of its own, which is left behind if the result is no longer wanted.

        A thread that waits for a network cannot be woken on every system, and not while it resolves a host name.

        Args:
            work: what to run; its exceptions are raised here.
            abandon: called if nobody waits for the result any more; it should make the work end soon.

        Raises:
            Cancelled: `cancel` was called.
            Overdue: the deadline has passed.
        """
        if self._cancelled.is_set():
            raise Cancelled
        threading.Thread(target=self._do, args=(work,), name="request", daemon=True).start()
        try:
            outcome = self._outcomes.get(timeout=self.left_s)
            if outcome is None:
                raise Cancelled
        except Empty:
            abandon()
            raise Overdue(f"no answer within {self.deadline_s:g} s; try again, or use a faster device") from None
        except BaseException:  # also Ctrl+C
            abandon()
            raise
        result, error = outcome
        if error is not None:
            raise error
        return result

    def _do(self, work: Callable[[], object]) -> None:
        try:
            self._outcomes.put((work(), None))
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits
            self._outcomes.put((None, error))


class PendingRequests:
    """The requests of a backend that are under way; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: set[PendingRequest] = set()

    def __len__(self) -> int:
        return len(self._requests)

    @contextmanager
    def begun(self, deadline_s: float) -> Iterator[PendingRequest]:
        """Yield a new request, which is under way until the context ends."""
        pending = PendingRequest(deadline_s)
        with self._lock:
            self._requests.add(pending)
        try:
            yield pending
        finally:
            with self._lock:
                self._requests.discard(pending)

    def cancel(self) -> None:
        """Cancel all of them; returns at once."""
        with self._lock:
            requests = list(self._requests)
        for pending in requests:
            pending.cancel()
