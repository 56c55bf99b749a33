"""Many first clicks in one volume, such as one on each lesion of a patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.errors import Cancelled, SegAnyPETError
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.growth import Watch
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.volume import Volume

#: Called with the number of points done and of all points; returns whether to continue.
Progress = Callable[[int, int], bool]


@dataclass(frozen=True)
class Failure:
    """A point from which no target was made, and why."""

    point: Point
    error: SegAnyPETError


@dataclass(frozen=True)
class Batch:
    """What many first clicks led to.

    Attributes:
        made: the session of a new target for each point that led to one, in the order of the points.
        failures: the points that led to none.
        left: the points that were not tried, or not finished, because the user cancelled.
    """

    made: tuple[InteractiveSession, ...]
    failures: tuple[Failure, ...]
    left: tuple[Point, ...]


class TargetList:
    """Targets in one volume, each with a session of its own. The list is for one thread at a time.

    Args:
        volume: PET in SUV; it must not be changed while the list lives.
        backend: runs the model for all targets.
        watch: as that of `InteractiveSession`, for all targets.
    """

    def __init__(self, volume: Volume, backend: Backend, watch: Watch = lambda windows: True) -> None:
        self.volume = volume
        self.backend = backend
        self.watch = watch
        self._sessions: list[InteractiveSession] = []

    @property
    def sessions(self) -> tuple[InteractiveSession, ...]:
        """The sessions of all targets, oldest first."""
        return tuple(self._sessions)

    def add_each(
        self,
        points: Sequence[Point],
        progress: Progress = lambda done, total: True,
        made_on: Volume | None = None,
    ) -> Batch:
        """Make a target of each of many first clicks.

        A point that fails makes no target and does not hinder the others; the targets made before are `neighbours` of
        the next one. If `progress` returns False, or
        `Backend.cancel` ends a prediction, the targets made so far stay, and the remaining points are left.

        The model is asked for one target at a time: a first look is centred on its click, so that two clicks share a
        window only if they lie in the same voxel.

        Args:
            points: positive ones, one in each target.
            progress: called before the first point and after each.
            made_on: as for `InteractiveSession.add_point`.
        """
        made: list[InteractiveSession] = []
        failures: list[Failure] = []
        for done, point in enumerate(points):
            if not progress(done, len(points)):
                return Batch(tuple(made), tuple(failures), tuple(points[done:]))
            session = InteractiveSession(self.volume, self.backend, watch=self.watch)
            session.neighbours = [other.mask for other in self._sessions]
            try:
                session.add_point(point, made_on)
            except Cancelled:
                return Batch(tuple(made), tuple(failures), tuple(points[done:]))
            except SegAnyPETError as error:
                failures.append(Failure(point, error))
            else:
                made.append(session)
                self._sessions.append(session)
        progress(len(points), len(points))
        return Batch(tuple(made), tuple(failures), ())
