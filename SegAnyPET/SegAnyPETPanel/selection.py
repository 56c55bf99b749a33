"""What clicks go to: a volume, a segmentation and one of its segments."""

from __future__ import annotations

from typing import Any

import slicer

from SegAnyPETLib.mrml.segment_jobs import ClickContext
from SegAnyPETLib.mrml.segmentations import new_segmentation


class Selection:
    """The nodes that the scene's parameter node refers to, and the selected segment.

    Attributes:
        parameters: the `SegAnyPETParameters`, None while a scene closes.
        segmentId: id of the segment that clicks go to, None if the next click begins another.
    """

    def __init__(self) -> None:
        self.parameters: Any = None
        self.segmentId: str | None = None
        self._created: Any = None
        self._known: tuple[Any, list[str]] = (None, [])

    @property
    def volume(self) -> Any:
        """The PET that is clicked, None if none is chosen."""
        return self._node("volume")

    @property
    def segmentation(self) -> Any:
        """The segmentation that masks are written to, None if none is chosen."""
        return self._node("segmentation")

    def context(self, create: bool = False) -> ClickContext | None:
        """Return the selected volume and segmentation, or None without a volume.

        Args:
            create: whether to create a missing segmentation.
        """
        volume, segmentation = self.volume, self.segmentation
        if volume is None:
            return None
        if segmentation is None and create:
            segmentation = self._created = new_segmentation(slicer.mrmlScene, volume)
            self.parameters.segmentation = segmentation
        return ClickContext(volume, segmentation)

    def segmentIds(self) -> list[str]:
        """Return the ids of all segments, in their order."""
        context = self.context()
        if context is None or context.segmentation is None:
            return []
        return list(context.segmentation.GetSegmentation().GetSegmentIDs())

    def followSegments(self) -> str | None:
        """Deselect a segment that went; select one that came since the last call, such as by the editor's redo.

        Returns:
            The id of the segment that was selected because it came, None if there is none.
        """
        context, ids = self.context(), self.segmentIds()
        segmentation = None if context is None else context.segmentation
        known, self._known = self._known, (segmentation, ids)
        if self.segmentId not in ids:
            self.segmentId = None
        came = [segmentId for segmentId in ids if segmentId not in known[1]] if known[0] is segmentation else []
        if not came:
            return None
        self.segmentId = came[-1]
        return self.segmentId

    def lookAt(self, segmentId: str) -> None:
        """Center the slice views on a segment, if it is not empty."""
        segmentation = self.segmentation
        center = None if segmentation is None else segmentation.GetSegmentCenterRAS(segmentId)
        if center is not None:
            slicer.modules.markups.logic().JumpSlicesToLocation(*center, True)

    def keepSegmentation(self) -> None:
        """Keep the segmentation that was created for a click: it holds a segment now."""
        self._created = None

    def removeUnusedSegmentation(self) -> None:
        """Remove the segmentation that was created for a click, if it is still empty."""
        node, self._created = self._created, None
        if node is not None and node.GetScene() is not None and not node.GetSegmentation().GetNumberOfSegments():
            slicer.mrmlScene.RemoveNode(node)

    def forgetScene(self) -> None:
        """Drop what belongs to a closing scene."""
        self._created = self.segmentId = None
        self._known = (None, [])

    def _node(self, field: str) -> Any | None:
        """Return a node that the parameter node refers to, if it is in the scene.

        The wrapper may still hold a removed one: it reads again when the parameter node is modified, and only after
        other observers.
        """
        node = None if self.parameters is None else self.parameters.parameterNode.GetNodeReference(field)
        return None if node is None or node.GetScene() is None else node
