"""What is asked of the model while the scene stays free: made and finished on the GUI's thread, run on any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.session.target_list import Batch, Progress, Target, TargetList


@dataclass(frozen=True, eq=False)
class Place:
    """Where masks go.

    Attributes:
        volume_node: the vtkMRMLScalarVolumeNode that is clicked.
        segmentation: the vtkMRMLSegmentationNode.
    """

    volume_node: Any
    segmentation: Any


@dataclass(frozen=True)
class Stamp:
    """How volume and segment stood when a job began; an answer to anything else is dropped.

    Attributes:
        image_modified: modified time of the volume's image.
        prompts: text of the segment's tag, "" without one.
        mask_sha256: fingerprint of the segment's mask, "" where there was no segment.
    """

    image_modified: int
    prompts: str = ""
    mask_sha256: str = ""


@dataclass(frozen=True, eq=False)
class Job:
    """One prompt of one target.

    Attributes:
        place: where the mask goes.
        segment_id: of the target, None for a new one.
        session: of the target; nobody else uses it until the job is finished.
        act: does to the session what the user did.
        stamp: how the scene stood.
        note: what the user should know before, "" for nothing.
    """

    place: Place
    segment_id: str | None
    session: InteractiveSession
    act: Callable[[InteractiveSession], object]
    stamp: Stamp
    note: str = ""

    def run(self) -> None:
        """Ask the model; touches no node.

        Raises:
            SegAnyPETError: the backend failed or was cancelled; the session is as before.
        """
        self.act(self.session)


@dataclass(eq=False)
class BatchJob:
    """Many first clicks, one new target each.

    Attributes:
        place: where the masks go.
        targets: a list of the new targets.
        points: the clicks.
        stamp: how the scene stood.
        done: number of points that are done.
        made: the targets so far, in the order of their points.
        written: ids of the segments of the first of them.
        stopped: set from any thread to leave the rest; the backend's `cancel` also ends the one that runs.
        batch: what came of it, once it has run.
    """

    place: Place
    targets: TargetList
    points: Sequence[Point]
    stamp: Stamp
    done: int = 0
    made: tuple[Target, ...] = ()
    written: list[str] = field(default_factory=list)
    stopped: bool = False
    batch: Batch | None = None

    def run(self) -> None:
        """Ask the model for one target after another; touches no node."""
        progress: Progress = self._note
        self.batch = self.targets.add_each(self.points, progress)

    def _note(self, done: int, total: int) -> bool:
        self.done, self.made = done, self.targets.targets
        return not self.stopped
