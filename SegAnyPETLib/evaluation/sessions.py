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
    """A session whose mask can be exchanged for one of another size, which costs no click."""

    def other_sizes(self) -> Sequence[NDArray[np.bool_]]:
        """Return the masks that are one step smaller or larger, those there are."""

    def take_size(self, number: int) -> object:
        """Take one of `other_sizes` as the mask."""


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
    scores = [dice(mask, reference_kji) for mask in session.other_sizes()]
    if not scores or max(scores) <= dice(session.mask_kji, reference_kji) + WORSE_BY:
        return False
    session.take_size(int(np.argmax(scores)))
    return True
