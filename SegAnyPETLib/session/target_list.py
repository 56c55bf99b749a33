"""Several targets in one volume, such as all lesions of a patient, each with prompts and history of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.errors import Cancelled, InputError, SegAnyPETError
from SegAnyPETLib.prompts import Point, Prompt
from SegAnyPETLib.session.growth import Watch
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: Is told how many of how many targets are done; says whether to go on.
Progress = Callable[[int, int], bool]


@dataclass(frozen=True, eq=False)
class Target:
    """What is being segmented: a lesion, an organ.

    Attributes:
        id: the same as long as the target lives, and of no other target in its list.
        session: its prompts, mask and history.
    """

    id: str
    session: InteractiveSession


@dataclass(frozen=True)
class Failure:
    """A point from which no target was made, and why."""

    point: Point
    error: SegAnyPETError


@dataclass(frozen=True)
class Batch:
    """What many first clicks led to.

    Attributes:
        made: a new target for each point that led to one, in the order of the points.
        failures: the points that led to none.
        left: the points that were not tried, or not to their end, because the user cancelled.
    """

    made: tuple[Target, ...]
    failures: tuple[Failure, ...]
    left: tuple[Point, ...]


class TargetList:
    """Targets in one volume; one of them is selected, unless there is none.

    Undo and redo belong to each target's session. As a session, the list is for one thread at a time.

    Args:
        volume: PET in SUV; it must not be changed while the list lives.
        backend: runs the model for all targets.
        watch: as that of `InteractiveSession`, for all targets.
    """

    def __init__(self, volume: Volume, backend: Backend, watch: Watch = lambda windows: True) -> None:
        self.volume = volume
        self.watch = watch
        self._backend = backend
        self._targets: dict[str, Target] = {}
        self._selected: str | None = None
        self._numbers = count(1)

    @property
    def backend(self) -> Backend:
        """What runs the model; another one in its place is so for every target."""
        return self._backend

    @backend.setter
    def backend(self, backend: Backend) -> None:
        self._backend = backend
        for target in self.targets:
            target.session.backend = backend

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets, in the order in which they came."""
        return tuple(self._targets.values())

    @property
    def selected(self) -> Target | None:
        """The target that the next prompt is about."""
        return None if self._selected is None else self._targets[self._selected]

    def add(
        self,
        target_id: str | None = None,
        points: Sequence[Prompt] = (),
        mask_kji: NDArray[np.bool_] | MaskPatch | None = None,
    ) -> Target:
        """Add a target and select it.

        Args:
            target_id: a number that is free where None.
            points: as for `InteractiveSession`.
            mask_kji: as for `InteractiveSession`.

        Raises:
            InputError: another target has this id, or points and mask do not fit the volume.
        """
        if target_id in self._targets:
            raise InputError("there is a target with this id already; choose another id")
        target = self._joined(self._session(points, mask_kji), target_id)
        self._selected = target.id
        return target

    def next(self) -> Target:
        """Select a new target; the selected one where it has no prompt yet."""
        selected = self.selected
        return selected if selected is not None and not selected.session.prompts else self.add()

    def select(self, target_id: str) -> Target:
        """Make the next prompts be about a target.

        Raises:
            InputError: there is no such target.
        """
        target = self._target(target_id)
        self._selected = target_id
        return target

    def remove(self, target_id: str) -> Target:
        """Take a target off the list; if it was selected, the next one is, or the last one.

        Raises:
            InputError: there is no such target.
        """
        target = self._target(target_id)
        place = list(self._targets).index(target_id)
        del self._targets[target_id]
        if self._selected == target_id:
            others = list(self._targets)
            self._selected = others[min(place, len(others) - 1)] if others else None
        return target

    def add_each(
        self,
        points: Sequence[Point],
        progress: Progress = lambda done, total: True,
        made_on: Volume | None = None,
    ) -> Batch:
        """Make a target of each of many first clicks; each on its own, as if the others were not there.

        A point that fails makes no target and does not hinder the others. Where `progress` answers False, or
        `Backend.cancel` ends a prediction, the targets that are made stay, and the rest is left. The selection stays
        where there is one.

        The model is asked for one target at a time: a first look is centred on its click, so that two clicks share a
        window only where they lie in the same voxel.

        Args:
            points: positive ones, one in each target.
            progress: called before the first point and after each, with the number of points done and of all points.
            made_on: as for `InteractiveSession.add_point`.
        """
        made: list[Target] = []
        failures: list[Failure] = []
        for done, point in enumerate(points):
            if not progress(done, len(points)):
                return Batch(tuple(made), tuple(failures), tuple(points[done:]))
            session = self._session()
            try:
                session.add_point(point, made_on)
            except Cancelled:
                return Batch(tuple(made), tuple(failures), tuple(points[done:]))
            except SegAnyPETError as error:
                failures.append(Failure(point, error))
            else:
                made.append(self._joined(session))
                if self._selected is None:
                    self._selected = made[0].id
        progress(len(points), len(points))
        return Batch(tuple(made), tuple(failures), ())

    def _session(
        self, points: Sequence[Prompt] = (), mask_kji: NDArray[np.bool_] | MaskPatch | None = None
    ) -> InteractiveSession:
        return InteractiveSession(self.volume, self._backend, points, mask_kji, lambda windows: self.watch(windows))

    def _joined(self, session: InteractiveSession, target_id: str | None = None) -> Target:
        if target_id is None:
            target_id = next(name for name in map(str, self._numbers) if name not in self._targets)
        target = self._targets[target_id] = Target(target_id, session)
        return target

    def _target(self, target_id: str) -> Target:
        if target_id not in self._targets:
            raise InputError("the target is no longer in the list; choose another one")
        return self._targets[target_id]
