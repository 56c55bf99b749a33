"""Turn what the user does into jobs for the model, and the model's answers into segments.

The state of a target is what its segment holds: mask and prompts. Undo, a loaded scene and a lost model are therefore
one case: the next click continues from the segment. A session is kept beside the segment while both agree, for the
model's previous logits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.editor import SegmentEditor
from SegAnyPETLib.mrml.fingerprint import SegmentFingerprints
from SegAnyPETLib.mrml.nodes.points import check_point
from SegAnyPETLib.mrml.nodes.terminology import LESION, SegmentKind
from SegAnyPETLib.mrml.nodes.volumes import VolumeCache, grid_of
from SegAnyPETLib.mrml.saved_prompts import (
    prompts_text,
    read_prompts,
    refer_to_volume,
    referred_volume,
    write_prompts,
)
from SegAnyPETLib.mrml.segment_actions import check_unlocked
from SegAnyPETLib.mrml.segment_jobs import BatchJob, ClickContext, Job, Stamp
from SegAnyPETLib.mrml.segmentations import add_segment
from SegAnyPETLib.mrml.segments import check_writable, read_mask, replace_mask
from SegAnyPETLib.pet.hottest import snapped
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.saved_prompts import SavedPrompts
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.session.target_list import TargetList
from SegAnyPETLib.volume.patch import MaskPatch


@dataclass(frozen=True, eq=False)
class _Kept:
    """A session, and the state of its segment after the session's last mask was written."""

    session: InteractiveSession
    stamp: Stamp


class Controller:
    """What the panel does with a scene. All methods are for the GUI thread; the jobs that they return run in any.

    Args:
        editor: writes segments, and keeps the undo steps.
    """

    def __init__(self, editor: SegmentEditor) -> None:
        self.editor = editor
        self.volumes = VolumeCache()
        self._fingerprints = SegmentFingerprints()
        self._kept: dict[tuple[str, str], _Kept] = {}

    def click(
        self, context: ClickContext, segment_id: str | None, point: Point, backend: Backend, snap: bool = False
    ) -> Job:
        """Return the job for a click on a target, or for the first click on a new one.

        Args:
            context: volume and segmentation.
            segment_id: the target, None for a new one.
            point: in the RAS frame of the volume.
            backend: runs the model.
            snap: whether a positive click means the hottest voxel near it.

        Raises:
            InputError: the point cannot be used, or the segment does not exist or belongs to another volume.
        """
        volume = self.volumes.volume_of(context.volume_node)
        check_point(point, volume)
        meant = snapped(volume, point) if snap else point
        return self._job(context, segment_id, backend, lambda session: session.add_point(meant, made_on=volume))

    def refine(self, context: ClickContext, segment_id: str, backend: Backend) -> Job:
        """Return the job that refines a segment, also one that was painted or imported.

        Raises:
            InputError: the segment does not exist.
        """
        mask = read_mask(context.segmentation, segment_id, context.volume_node)
        return self._job(context, segment_id, backend, lambda session: session.add_mask(mask))

    def resize(self, context: ClickContext, segment_id: str, larger: bool, backend: Backend) -> Job:
        """Return the job that takes the next larger or smaller mask that the segment's only click may mean.

        Raises:
            InputError: the segment does not exist, or was clicked in another volume.
        """

        def apply(session: InteractiveSession) -> object:
            return session.larger() if larger else session.smaller()

        return self._job(context, segment_id, backend, apply)

    def move(self, context: ClickContext, segment_id: str, index: int, point: Point, backend: Backend) -> Job:
        """Return the job that replaces one of `points`.

        Args:
            context: volume and segmentation.
            segment_id: the target.
            index: of the point in `points`.
            point: the new one, in the RAS frame of the volume.
            backend: runs the model.

        Raises:
            InputError: the point cannot be used, or the segment does not exist.
        """
        volume = self.volumes.volume_of(context.volume_node)
        check_point(point, volume)
        return self._job(context, segment_id, backend, lambda session: session.move_point(index, point, made_on=volume))

    def remove(self, context: ClickContext, segment_id: str, index: int, backend: Backend) -> Job:
        """Return the job that removes one of `points`.

        Raises:
            InputError: the segment does not exist.
        """
        return self._job(context, segment_id, backend, lambda session: session.remove_point(index))

    def click_each(
        self, context: ClickContext, points: Sequence[Point], backend: Backend, snap: bool = False
    ) -> BatchJob:
        """Return the job for many first clicks, each on a new target.

        Raises:
            InputError: there are no points, or one of them cannot be used.
        """
        if not points:
            raise InputError("the list holds no placed point; place points on the lesions first")
        check_writable(context.segmentation)
        volume = self.volumes.volume_of(context.volume_node)
        for number, point in enumerate(points, start=1):
            try:
                check_point(point, volume)
            except InputError as error:
                raise InputError(f"point {number} of the list: {error}") from error
        meant = [snapped(volume, point) for point in points] if snap else list(points)
        return BatchJob(context, TargetList(volume, backend), meant, self._stamp(context, None))

    def finish(self, job: Job, kind: SegmentKind = LESION) -> str | None:
        """Write the result of a job as one undo step.

        Returns:
            The id of the segment, or None if the result was dropped because volume, segmentation or segment were
            removed or changed meanwhile.
        """
        if not self._unchanged(job.context, job.segment_id, job.stamp):
            return None
        self._begin_step(job.context)
        segment_id = add_segment(job.context.segmentation, kind) if job.segment_id is None else job.segment_id
        self._write(job.context, segment_id, job.session)
        return segment_id

    def write_next(self, job: BatchJob, kind: SegmentKind = LESION) -> bool:
        """Write the next target of a batch, also while the others still run; all at once would block the GUI.

        All targets of a job are one undo step.

        Returns:
            Whether one was written: not if all are, or if volume or segmentation were removed or changed.
        """
        number = len(job.written)
        if number == len(job.made) or not self._unchanged(job.context, None, job.stamp):
            return False
        if number == 0:
            self._begin_step(job.context)
        job.written.append(add_segment(job.context.segmentation, kind))
        self._write(job.context, job.written[-1], job.made[number])
        return True

    def finish_each(self, job: BatchJob, kind: SegmentKind = LESION) -> list[str] | None:
        """Write the remaining targets of a batch; return the ids of all its segments, or None if some were dropped."""
        while self.write_next(job, kind):
            pass
        return job.written if len(job.written) == len(job.made) and self._exists(job.context) else None

    def points(self, context: ClickContext, segment_id: str) -> tuple[Point, ...]:
        """Return the clicks saved with a segment; none if it was painted or imported.

        Raises:
            InputError: there is no such segment, or its saved clicks are damaged.
        """
        saved = read_prompts(context.segmentation, segment_id)
        return () if saved is None else tuple(p for p in saved.prompts if isinstance(p, Point))

    def forget_node(self, node_id: str) -> None:
        """Drop what was kept of a volume or segmentation that left the scene."""
        volume = self.volumes.forget_node(node_id)
        self._fingerprints.forget_node(node_id)
        self._kept = {
            key: kept
            for key, kept in self._kept.items()
            if key[0] != node_id and (volume is None or kept.session.volume is not volume)
        }

    def forget(self) -> None:
        """Drop everything, when the scene closes."""
        self.volumes.forget()
        self._fingerprints.forget()
        self._kept.clear()

    def _job(
        self,
        context: ClickContext,
        segment_id: str | None,
        backend: Backend,
        apply: Callable[[InteractiveSession], object],
    ) -> Job:
        job = self._plain_job(context, segment_id, backend, apply)
        job.session.neighbours = self._neighbours(context, segment_id)
        return job

    def _plain_job(
        self,
        context: ClickContext,
        segment_id: str | None,
        backend: Backend,
        apply: Callable[[InteractiveSession], object],
    ) -> Job:
        check_writable(context.segmentation)
        if segment_id is not None:
            check_unlocked(context.segmentation, segment_id)
        volume, stamp = self.volumes.volume_of(context.volume_node), self._stamp(context, segment_id)
        if segment_id is None:
            return Job(context, None, InteractiveSession(volume, backend), apply, stamp)
        try:
            read_prompts(context.segmentation, segment_id)
        except InputError as error:
            session = InteractiveSession(volume, backend)
            session.set_mask(read_mask(context.segmentation, segment_id, context.volume_node))
            return Job(context, segment_id, session, apply, stamp, note=str(error))
        return Job(context, segment_id, self._session(context, segment_id, stamp, backend), apply, stamp)

    def _neighbours(self, context: ClickContext, segment_id: str | None) -> list[MaskPatch]:
        """Return the masks of the other segments that were clicked in this volume and are as they were then.

        Reading the masks of all segments would hold the GUI up.
        """
        volume, data = self.volumes.volume_of(context.volume_node), context.segmentation.GetSegmentation()
        return [
            kept.session.mask
            for (node_id, other), kept in self._kept.items()
            if node_id == context.segmentation.GetID()
            and other != segment_id
            and kept.session.volume is volume
            and data.GetSegment(other) is not None
            and kept.stamp == self._stamp(context, other)
        ]

    def _session(self, context: ClickContext, segment_id: str, stamp: Stamp, backend: Backend) -> InteractiveSession:
        volume = self.volumes.volume_of(context.volume_node)
        kept = self._kept.get((context.segmentation.GetID(), segment_id))
        if kept is not None and kept.stamp == stamp and kept.session.volume is volume:
            kept.session.backend = backend
            return kept.session
        return self._restored(context, segment_id, stamp, backend)

    def _restored(self, context: ClickContext, segment_id: str, stamp: Stamp, backend: Backend) -> InteractiveSession:
        """Return a session that continues from a segment; a mask that its prompts did not give is hand-drawn."""
        volume = self.volumes.volume_of(context.volume_node)
        mask = read_mask(context.segmentation, segment_id, context.volume_node)
        saved = read_prompts(context.segmentation, segment_id)
        if saved is None:
            session = InteractiveSession(volume, backend)
            session.set_mask(mask)
            return session
        home = referred_volume(context.segmentation, saved)
        if home is not None and home is not context.volume_node:
            raise InputError(f"this segment was clicked in {home.GetName()}; choose that PET, or begin the next lesion")
        prompts = saved.on(grid_of(context.volume_node))
        if saved.mask_sha256 == stamp.mask_sha256:
            return InteractiveSession(volume, backend, prompts, mask)
        session = InteractiveSession(volume, backend, prompts)
        session.set_mask(mask)
        return session

    def _begin_step(self, context: ClickContext) -> None:
        self.editor.select(context.segmentation, context.volume_node)
        self.editor.history.save()

    def _write(self, context: ClickContext, segment_id: str, session: InteractiveSession) -> None:
        written = replace_mask(self.editor, context.segmentation, segment_id, session.mask, context.volume_node)
        role = refer_to_volume(context.segmentation, context.volume_node)
        saved = SavedPrompts.of(session, written, grid_of(context.volume_node), role)
        write_prompts(context.segmentation, segment_id, saved)
        key = context.segmentation.GetID(), segment_id
        self._kept.pop(key, None)
        if _equal(written, session.mask):  # the editor's masking may have allowed only a part of it
            self._kept[key] = _Kept(session, self._stamp(context, segment_id))

    def _stamp(self, context: ClickContext, segment_id: str | None) -> Stamp:
        modified = context.volume_node.GetImageData().GetMTime()
        if segment_id is None:
            return Stamp(modified)
        sha256 = self._fingerprints.of(context.segmentation, segment_id, context.volume_node)
        return Stamp(modified, prompts_text(context.segmentation, segment_id), sha256)

    def _unchanged(self, context: ClickContext, segment_id: str | None, stamp: Stamp) -> bool:
        """Return whether volume and segment are unchanged since a job was made."""
        if not self._exists(context):
            return False
        data = context.segmentation.GetSegmentation()
        if segment_id is not None and data.GetSegment(segment_id) is None:
            return False
        return self._stamp(context, segment_id) == stamp

    def _exists(self, context: ClickContext) -> bool:
        nodes = (context.volume_node, context.segmentation)
        return all(_is_in_scene(node) for node in nodes) and context.volume_node.GetImageData() is not None


def _is_in_scene(node: Any) -> bool:
    scene = node.GetScene()
    return scene is not None and scene.GetNodeByID(node.GetID()) is node


def _equal(one: MaskPatch, other: MaskPatch) -> bool:
    tight = MaskPatch.cropped(one.array_kji, one.offset_kji), MaskPatch.cropped(other.array_kji, other.offset_kji)
    return tight[0].offset_kji == tight[1].offset_kji and tight[0].array_kji.tobytes() == tight[1].array_kji.tobytes()
