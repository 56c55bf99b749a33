"""The Segment Editor inside the panel."""

from __future__ import annotations

from typing import Any

import qt
import slicer
import slicer.util

from SegAnyPETLib.mrml.editor import UNDO_STATES, editor_node


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


def makeEditorWidget(layout: Any) -> Any:
    """Append a qMRMLSegmentEditorWidget over the module's own editor node to a layout, and return it."""
    widget = slicer.qMRMLSegmentEditorWidget()
    widget.setMaximumNumberOfUndoStates(UNDO_STATES)
    # The node comes before the scene, so that it keeps what is selected when the scene is set.
    widget.setMRMLSegmentEditorNode(editor_node(slicer.mrmlScene))
    widget.setMRMLScene(slicer.mrmlScene)
    widget.segmentationNodeSelectorVisible = False
    widget.sourceVolumeNodeSelectorVisible = False
    widget.setSizePolicy(qt.QSizePolicy.Preferred, qt.QSizePolicy.Expanding)
    layout.addWidget(widget)
    return widget
