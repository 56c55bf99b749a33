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

    def context(self, create: bool = False) -> ClickContext | None:
        """Return the selected volume and segmentation, or None without a volume.

        Args:
            create: whether to create a missing segmentation.
        """
        if self.parameters is None or self.parameters.volume is None:
            return None
        if self.parameters.segmentation is None and create:
            self._created = new_segmentation(slicer.mrmlScene, self.parameters.volume)
            self.parameters.segmentation = self._created
        return ClickContext(self.parameters.volume, self.parameters.segmentation)

    def segmentIds(self) -> list[str]:
        """Return the ids of all segments, in their order."""
        context = self.context()
        if context is None or context.segmentation is None:
            return []
        return list(context.segmentation.GetSegmentation().GetSegmentIDs())

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
