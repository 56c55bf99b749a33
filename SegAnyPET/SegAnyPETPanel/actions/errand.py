"""Work beside the GUI thread that changes no segment: fetching weights, asking a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from SegAnyPETLib.errors import Cancelled

#: Called with what is done and what there is in all; raises `Cancelled` once the errand was stopped.
Tell = Callable[[int, int], None]


@dataclass(eq=False)
class Errand:
    """One piece of such work, for the `ActionQueue`.

    Attributes:
        work: runs in the runner's thread and may tell how far it is.
        finish: called on the GUI thread after it.
        note: shown while it runs.
        cancel: ends the work from another thread, if it does not tell its progress.
        done: how far it is.
        total: of that, 0 if not known.
        stopped: whether the user cancelled.
    """

    work: Callable[[Tell], None]
    finish: Callable[[], object]
    note: str
    cancel: Callable[[], object] | None = None
    done: int = 0
    total: int = 0
    stopped: bool = False

    def run(self) -> None:
        """Do the work.

        Raises:
            Cancelled: it was stopped, and nothing was changed.
            SegAnyPETError: it failed.
        """
        self.work(self.tell)

    def stop(self) -> None:
        """End the work, at the latest where it tells its progress next."""
        self.stopped = True
        if self.cancel is not None:
            self.cancel()

    def tell(self, done: int, total: int) -> None:
        """Note how far the work is; any thread may call it.

        Raises:
            Cancelled: it was stopped.
        """
        if self.stopped:
            raise Cancelled
        self.done, self.total = done, total
