"""Jobs of the controller for what the user did, made when its turn comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slicer.i18n import tr as _

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.controller import Controller
from SegAnyPETLib.mrml.nodes.prompt_markups import PointChange, index_of
from SegAnyPETLib.mrml.segment_jobs import BatchJob, ClickContext, Job
from SegAnyPETLib.prompts import Point


@dataclass(frozen=True, eq=False)
class ClickJobs:
    """Jobs for one volume and segmentation.

    Attributes:
        controller: makes the jobs.
        context: volume and segmentation.
        segmentId: of the selected segment, None if the next click begins another.
        backend: runs the model.
    """

    controller: Controller
    context: ClickContext
    segmentId: str | None
    backend: Backend

    def change(self, change: PointChange, snap: bool) -> Job | None:
        """Return the job for a point that was placed, dragged or deleted; None if no segment holds it."""
        if change.was is None:
            if change.now is None:
                return None
            return self.controller.click(self.context, self.segmentId, change.now, self.backend, snap)
        if self.segmentId is None:
            return None
        index = index_of(change.was, self.controller.points(self.context, self.segmentId))
        if index is None:  # its click was refused or dropped
            return None
        if change.now is None:
            return self.controller.remove(self.context, self.segmentId, index, self.backend)
        return self.controller.move(self.context, self.segmentId, index, change.now, self.backend)

    def refine(self) -> Job:
        """Return the job that refines the selected segment.

        Raises:
            InputError: none is selected.
        """
        if self.segmentId is None:
            raise InputError(_("Choose a segment in the list first."))
        return self.controller.refine(self.context, self.segmentId, self.backend)

    def resize(self, larger: bool) -> Job:
        """Return the job that takes the next larger or smaller mask of the last click.

        Raises:
            InputError: no segment is selected.
        """
        if self.segmentId is None:
            raise InputError(_("Choose a segment in the list first."))
        return self.controller.resize(self.context, self.segmentId, larger, self.backend)

    def batch(self, points: Callable[[ClickContext], Sequence[Point]], snap: bool) -> BatchJob:
        """Return the job that makes one lesion of each point.

        Args:
            points: returns them in the RAS frame of the context's volume.
            snap: whether a point means the hottest voxel near it.
        """
        return self.controller.click_each(self.context, points(self.context), self.backend, snap)
