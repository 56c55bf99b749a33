"""The Segment Editor inside the panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import qt
import slicer
import slicer.util

from SegAnyPETLib.mrml.editor import UNDO_STATES, editor_node
from SegAnyPETPanel.guard import guarded


class EditorWidgetHistory:
    """Undo steps of the editor widget, so that its own buttons show them.

    Args:
        widget: the qMRMLSegmentEditorWidget.
    """

    def __init__(self, widget: Any) -> None:
        self._widget = widget

    def save(self) -> None:
        """Save the segmentation; what follows is one step."""
        self._widget.saveStateForUndo()

    def undo(self) -> None:
        """Go back one step."""
        self._widget.undo()

    def redo(self) -> None:
        """Repeat the step that was taken back last."""
        self._widget.redo()

    @property
    def canUndo(self) -> bool:
        """Whether there is a step to take back; only the widget's button tells."""
        return bool(slicer.util.findChild(self._widget, "UndoButton").enabled)

    @property
    def canRedo(self) -> bool:
        """Whether there is a step to repeat."""
        return bool(slicer.util.findChild(self._widget, "RedoButton").enabled)


class EditorSegment:
    """Tells which segment the user chooses in the editor: in its table, or by its keys.

    The editor also changes its segment by itself, when a segmentation is chosen or its segment goes, and the module
    does while it writes; that is not reported.

    Args:
        widget: the qMRMLSegmentEditorWidget.
        onChosen: called with the id of a segment.
    """

    def __init__(self, widget: Any, onChosen: Callable[[str], object]) -> None:
        self._widget = widget
        self._onChosen = onChosen
        self._last: tuple[Any, str] = (None, "")
        self._paused = False
        widget.connect("currentSegmentIDChanged(QString)", guarded(self._changed))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Report nothing in this block, which writes segments."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def show(self, segmentId: str) -> None:
        """Select a segment in the editor."""
        with self.paused():
            self._widget.setCurrentSegmentID(segmentId)

    def _changed(self, segmentId: str) -> None:
        segmentation = self._widget.segmentationNode()
        last, self._last = self._last, (segmentation, segmentId)
        if self._paused or segmentation is None or last[0] is not segmentation:
            return
        ids = segmentation.GetSegmentation().GetSegmentIDs()
        if segmentId in ids and last[1] in ids:
            self._onChosen(segmentId)


def makeEditorWidget(layout: Any) -> Any:
    """Append a qMRMLSegmentEditorWidget over the module's own editor node to a layout, and return it."""
    widget = slicer.qMRMLSegmentEditorWidget()
    widget.setMaximumNumberOfUndoStates(UNDO_STATES)
    # The node comes before the scene, so that it keeps what is selected when the scene is set.
    widget.setMRMLSegmentEditorNode(editor_node(slicer.mrmlScene))
    widget.setMRMLScene(slicer.mrmlScene)
    widget.segmentationNodeSelectorVisible = False
    widget.sourceVolumeNodeSelectorVisible = False
    widget.autoShowSourceVolumeNode = False  # the panel shows the PET, and leaves views that the user has set
    widget.setSizePolicy(qt.QSizePolicy.Preferred, qt.QSizePolicy.Expanding)
    layout.addWidget(widget)
    return widget
