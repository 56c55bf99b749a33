"""From the user's acts to jobs for the model, and from its answers to segments.

The state of a target is what its segment holds: mask and prompts. Undo, a saved scene and a lost model are therefore
all the same case: the next click goes on from what the segment says. A session is kept beside it while both agree, for
the model's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.editor import SegmentEditor
from SegAnyPETLib.mrml.fingerprint import SegmentFingerprints
from SegAnyPETLib.mrml.grids import grid_of
from SegAnyPETLib.mrml.points import check_point
from SegAnyPETLib.mrml.saved_prompts import (
    prompts_text,
    read_prompts,
    refer_to_volume,
    referred_volume,
    write_prompts,
)
from SegAnyPETLib.mrml.segment_jobs import BatchJob, Job, Place, Stamp
from SegAnyPETLib.mrml.segmentations import add_segment
from SegAnyPETLib.mrml.segments import check_writable, read_mask, replace_mask
from SegAnyPETLib.mrml.terminology import LESION, SegmentKind
from SegAnyPETLib.mrml.volumes import VolumeCache
from SegAnyPETLib.pet.hottest import snapped
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.saved_prompts import SavedPrompts
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.session.target_list import TargetList
from SegAnyPETLib.volume.patch import MaskPatch


@dataclass(frozen=True, eq=False)
class _Kept:
    """A session, and how the segment stood when it was last written."""

    session: InteractiveSession
    stamp: Stamp


class Controller:
    """What the panel does with a scene. Every method but none of the jobs' is for the GUI's thread.

    Args:
        editor: writes segments, and keeps the undo steps.
    """

    def __init__(self, editor: SegmentEditor) -> None:
        self.editor = editor
        self.volumes = VolumeCache()
        self._fingerprints = SegmentFingerprints()
        self._kept: dict[tuple[str, str], _Kept] = {}

    def click(self, place: Place, segment_id: str | None, point: Point, backend: Backend, snap: bool = False) -> Job:
        """A click on a target, or the first one on a new target.

        Args:
            place: volume and segmentation.
            segment_id: the target, None for a new one.
            point: in the RAS frame of the volume.
            backend: runs the model.
            snap: whether a positive click means the hottest voxel near it.

        Raises:
            InputError: the point cannot be used, or the segment is not there or belongs to another volume.
        """
        volume = self.volumes.volume_of(place.volume_node)
        check_point(point, volume)
        meant = snapped(volume, point) if snap else point
        return self._job(place, segment_id, backend, lambda session: session.add_point(meant, made_on=volume))

    def refine(self, place: Place, segment_id: str, backend: Backend) -> Job:
        """Let the model refine a segment that was painted or came from elsewhere.

        Raises:
            InputError: the segment is not there.
        """
        mask = read_mask(place.segmentation, segment_id, place.volume_node)
        return self._job(place, segment_id, backend, lambda session: session.add_mask(mask))

    def move(self, place: Place, segment_id: str, number: int, point: Point, backend: Backend) -> Job:
        """Put another point in the place of one of `points`.

        Raises:
            InputError: the point cannot be used, or the segment is not there.
        """
        volume = self.volumes.volume_of(place.volume_node)
        check_point(point, volume)
        return self._job(place, segment_id, backend, lambda session: session.move_point(number, point, made_on=volume))

    def remove(self, place: Place, segment_id: str, number: int, backend: Backend) -> Job:
        """Take one of `points` away.

        Raises:
            InputError: the segment is not there.
        """
        return self._job(place, segment_id, backend, lambda session: session.remove_point(number))

    def click_each(self, place: Place, points: Sequence[Point], backend: Backend, snap: bool = False) -> BatchJob:
        """Many first clicks: one new target for each.

        Raises:
            InputError: there is no point, or one of them cannot be used; nothing is sent then.
        """
        if not points:
            raise InputError("the list holds no placed point; place points on the lesions first")
        check_writable(place.segmentation)
        volume = self.volumes.volume_of(place.volume_node)
        for number, point in enumerate(points, start=1):
            try:
                check_point(point, volume)
            except InputError as error:
                raise InputError(f"point {number} of the list: {error}") from error
        meant = [snapped(volume, point) for point in points] if snap else list(points)
        return BatchJob(place, TargetList(volume, backend), meant, self._stamp(place, None))

    def finish(self, job: Job, kind: SegmentKind = LESION) -> str | None:
        """Write what a job led to as one undo step.

        Returns:
            The id of the segment, None where the answer was dropped because volume, segmentation or segment are gone
            or were changed meanwhile.
        """
        if not self._stands(job.place, job.segment_id, job.stamp):
            return None
        self._begin_step(job.place)
        segment_id = add_segment(job.place.segmentation, kind) if job.segment_id is None else job.segment_id
        self._write(job.place, segment_id, job.session)
        return segment_id

    def write_next(self, job: BatchJob, kind: SegmentKind = LESION) -> bool:
        """Write the next target of many clicks, also while others are waited for: all at once would take too long.

        All targets of a job are one undo step.

        Returns:
            Whether one was written; none is where all are, or where volume or segmentation are gone or were changed.
        """
        number = len(job.written)
        if number == len(job.made) or not self._stands(job.place, None, job.stamp):
            return False
        if number == 0:
            self._begin_step(job.place)
        job.written.append(add_segment(job.place.segmentation, kind))
        self._write(job.place, job.written[-1], job.made[number].session)
        return True

    def finish_each(self, job: BatchJob, kind: SegmentKind = LESION) -> list[str] | None:
        """Write what is left of many clicks; ids of all their segments, None where some were dropped."""
        while self.write_next(job, kind):
            pass
        return job.written if len(job.written) == len(job.made) and self._is_there(job.place) else None

    def points(self, place: Place, segment_id: str) -> tuple[Point, ...]:
        """The clicks that a segment remembers; none for one that was made otherwise.

        Raises:
            InputError: there is no such segment, or what it remembers is damaged.
        """
        saved = read_prompts(place.segmentation, segment_id)
        return () if saved is None else tuple(p for p in saved.prompts if isinstance(p, Point))

    def forget(self) -> None:
        """Let go of everything, when the scene closes."""
        self.volumes.forget()
        self._fingerprints.forget()
        self._kept.clear()

    def _job(
        self, place: Place, segment_id: str | None, backend: Backend, act: Callable[[InteractiveSession], object]
    ) -> Job:
        check_writable(place.segmentation)
        volume, stamp = self.volumes.volume_of(place.volume_node), self._stamp(place, segment_id)
        if segment_id is None:
            return Job(place, None, InteractiveSession(volume, backend), act, stamp)
        try:
            read_prompts(place.segmentation, segment_id)
        except InputError as error:
            session = InteractiveSession(volume, backend)
            session.set_mask(read_mask(place.segmentation, segment_id, place.volume_node))
            return Job(place, segment_id, session, act, stamp, note=str(error))
        return Job(place, segment_id, self._session(place, segment_id, stamp, backend), act, stamp)

    def _session(self, place: Place, segment_id: str, stamp: Stamp, backend: Backend) -> InteractiveSession:
        volume = self.volumes.volume_of(place.volume_node)
        kept = self._kept.get((place.segmentation.GetID(), segment_id))
        if kept is not None and kept.stamp == stamp and kept.session.volume is volume:
            kept.session.backend = backend
            return kept.session
        return self._restored(place, segment_id, stamp, backend)

    def _restored(self, place: Place, segment_id: str, stamp: Stamp, backend: Backend) -> InteractiveSession:
        """A session that goes on from what a segment holds; a mask that its prompts did not lead to is hand-drawn."""
        volume = self.volumes.volume_of(place.volume_node)
        mask = read_mask(place.segmentation, segment_id, place.volume_node)
        saved = read_prompts(place.segmentation, segment_id)
        if saved is None:
            session = InteractiveSession(volume, backend)
            session.set_mask(mask)
            return session
        home = referred_volume(place.segmentation, saved)
        if home is not None and home is not place.volume_node:
            raise InputError(f"this segment was clicked in {home.GetName()}; choose that PET, or begin the next lesion")
        prompts = saved.on(grid_of(place.volume_node))
        if saved.mask_sha256 == stamp.mask_sha256:
            return InteractiveSession(volume, backend, prompts, mask)
        session = InteractiveSession(volume, backend, prompts)
        session.set_mask(mask)
        return session

    def _begin_step(self, place: Place) -> None:
        self.editor.select(place.segmentation, place.volume_node)
        self.editor.history.save()

    def _write(self, place: Place, segment_id: str, session: InteractiveSession) -> None:
        written = replace_mask(self.editor, place.segmentation, segment_id, session.mask, place.volume_node)
        role = refer_to_volume(place.segmentation, place.volume_node)
        saved = SavedPrompts.of(session, written, grid_of(place.volume_node), role)
        write_prompts(place.segmentation, segment_id, saved)
        key = place.segmentation.GetID(), segment_id
        self._kept.pop(key, None)
        if _equal(written, session.mask):  # the editor's masking may have allowed a part alone
            self._kept[key] = _Kept(session, self._stamp(place, segment_id))

    def _stamp(self, place: Place, segment_id: str | None) -> Stamp:
        modified = place.volume_node.GetImageData().GetMTime()
        if segment_id is None:
            return Stamp(modified)
        sha256 = self._fingerprints.of(place.segmentation, segment_id, place.volume_node)
        return Stamp(modified, prompts_text(place.segmentation, segment_id), sha256)

    def _stands(self, place: Place, segment_id: str | None, stamp: Stamp) -> bool:
        """Whether the scene is still the one that a job was made for."""
        if not self._is_there(place):
            return False
        data = place.segmentation.GetSegmentation()
        if segment_id is not None and data.GetSegment(segment_id) is None:
            return False
        return self._stamp(place, segment_id) == stamp

    def _is_there(self, place: Place) -> bool:
        nodes = (place.volume_node, place.segmentation)
        return all(_is_in_scene(node) for node in nodes) and place.volume_node.GetImageData() is not None


def _is_in_scene(node: Any) -> bool:
    scene = node.GetScene()
    return scene is not None and scene.GetNodeByID(node.GetID()) is node


def _equal(one: MaskPatch, other: MaskPatch) -> bool:
    tight = MaskPatch.cropped(one.array_kji, one.offset_kji), MaskPatch.cropped(other.array_kji, other.offset_kji)
    return tight[0].offset_kji == tight[1].offset_kji and tight[0].array_kji.tobytes() == tight[1].array_kji.tobytes()
