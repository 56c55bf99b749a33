"""Jobs for the model: made and finished on the GUI thread, run in another; they touch no node while they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.session.target_list import Batch, Progress, TargetList


@dataclass(frozen=True, eq=False)
class ClickContext:
    """The volume that is clicked and the segmentation that masks are written to.

    Attributes:
        volume_node: the vtkMRMLScalarVolumeNode that is clicked.
        segmentation: the vtkMRMLSegmentationNode.
    """

    volume_node: Any
    segmentation: Any


@dataclass(frozen=True)
class Stamp:
    """State of volume and segment when a job was made; if it has changed since, the result is dropped.

    Attributes:
        image_modified: modified time of the volume's image.
        prompts: text of the segment's tag, "" without one.
        mask_sha256: fingerprint of the segment's mask, "" without a segment.
    """

    image_modified: int
    prompts: str = ""
    mask_sha256: str = ""


@dataclass(frozen=True, eq=False)
class Job:
    """One prompt of one target.

    Attributes:
        context: where the mask goes.
        segment_id: of the target, None for a new one.
        session: of the target; only the job uses it until the job is finished.
        apply: adds the user's prompt to the session.
        stamp: state of the scene when the job was made.
        note: a warning to show before the job runs, "" for none.
    """

    context: ClickContext
    segment_id: str | None
    session: InteractiveSession
    apply: Callable[[InteractiveSession], object]
    stamp: Stamp
    note: str = ""

    def run(self) -> None:
        """Ask the model; touches no node.

        Raises:
            SegAnyPETError: the backend failed or was cancelled; the session is as before.
        """
        self.apply(self.session)

    def stop(self) -> None:
        """Do nothing: a single prompt is cancelled by its backend alone."""


@dataclass(eq=False)
class BatchJob:
    """Many first clicks, one new target each.

    Attributes:
        context: where the masks go.
        targets: receives the new targets.
        points: the clicks.
        stamp: state of the scene when the job was made.
        done: number of points that are done.
        made: the sessions of the targets so far, in the order of their points.
        written: ids of the segments written so far, one for each of the first targets.
        stopped: whether the remaining points are left; see `stop`.
        batch: the result, once it has run.
    """

    context: ClickContext
    targets: TargetList
    points: Sequence[Point]
    stamp: Stamp
    done: int = 0
    made: tuple[InteractiveSession, ...] = ()
    written: list[str] = field(default_factory=list)
    stopped: bool = False
    batch: Batch | None = None

    def run(self) -> None:
        """Ask the model for one target after another; touches no node."""
        progress: Progress = self._note
        self.batch = self.targets.add_each(self.points, progress)

    def stop(self) -> None:
        """Leave the remaining points; the backend's `cancel` also ends the one that runs."""
        self.stopped = True

    def _note(self, done: int, total: int) -> bool:
        self.done, self.made = done, self.targets.sessions
        return not self.stopped
