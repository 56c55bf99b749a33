"""What an evaluation needs of a session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.evaluation.metrics import dice
from SegAnyPETLib.evaluation.statistics.curves import WORSE_BY
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.session.state import StepResult
from SegAnyPETLib.volume.volume import Volume


class Session(Protocol):
    """What is needed of an `InteractiveSession`."""

    @property
    def mask_kji(self) -> NDArray[np.bool_]:
        """The current mask on the volume's grid."""

    def add_point(self, point: Point) -> object:
        """Take a click into account."""


@runtime_checkable
class SizedSession(Session, Protocol):
    """A session whose mask can be exchanged for a smaller or larger one, which costs no click."""

    def find_sizes(self) -> None:
        """Look for the alternatives if they are not known."""

    @property
    def alternatives(self) -> Sequence[StepResult]:
        """The masks that the last click may mean, from the smallest to the largest."""

    @property
    def chosen(self) -> int:
        """Index of the current mask in `alternatives`."""

    def smaller(self) -> object:
        """Take the next smaller one."""

    def larger(self) -> object:
        """Take the next larger one."""


SessionFactory = Callable[[Volume], Session]


def sessions_over(backend: Backend) -> SessionFactory:
    """Return a factory of fresh interactive sessions on one backend."""
    return lambda volume: InteractiveSession(volume, backend)


def take_better_size(session: SizedSession, reference_kji: NDArray[np.bool_]) -> bool:
    """Take another size of the mask if someone who sees the target would prefer it.

    Args:
        session: with a mask.
        reference_kji: the target.

    Returns:
        Whether one was taken: that of highest Dice, if it is higher by more than a hundredth.
    """
    session.find_sizes()
    now = dice(session.mask_kji, reference_kji)
    steps = [
        (dice(session.alternatives[number].mask.to_array(reference_kji.shape), reference_kji), take)
        for number, take in ((session.chosen - 1, session.smaller), (session.chosen + 1, session.larger))
        if 0 <= number < len(session.alternatives)
    ]
    best, take = max(steps, key=lambda step: step[0], default=(now, None))
    if take is None or best <= now + WORSE_BY:
        return False
    take()
    return True
