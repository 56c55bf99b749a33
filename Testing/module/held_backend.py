"""A model that answers when the test lets it, so that the test may do something while it is at work."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.errors import Cancelled
from Testing.session.hot_backend import HotBackend


class HeldBackend(HotBackend):
    """Foreground is what is hot, after `free` was called.

    Attributes:
        at_work: whether it is being asked.
        error: raised at the next question instead of an answer, once.
    """

    device = "cpu, test"

    def __init__(self, held: bool = True, size: int = 16) -> None:
        super().__init__(size=size, spacing_mm=(4.0,))
        self.spec = replace(self.spec, sha256="0" * 64)
        self.at_work = threading.Event()
        self._go, self._cancelled = threading.Event(), threading.Event()
        self._left = -1
        if not held:
            self._go.set()

    def free(self) -> None:
        """Answer, now and from now on."""
        self._go.set()

    def hold(self) -> None:
        """Wait again for `free`."""
        self._go.clear()

    def stop_after(self, answers: int) -> None:
        """Wait again after so many answers."""
        self._left = answers

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        if self._left == 0:
            self.hold()
        self._left -= 1
        self._cancelled.clear()
        self.at_work.set()
        while not self._go.wait(0.002):
            if self._cancelled.is_set():
                self.at_work.clear()
                raise Cancelled("cancelled; nothing was changed")
        self.at_work.clear()
        return super().predict(image, targets)

    def cancel(self) -> None:
        self._cancelled.set()
