"""The Segment Editor inside the panel."""

import qt
import slicer

from SegAnyPETLib.mrml.editor import UNDO_STATES, editor_node


class EditorWidgetHistory:
    """Undo steps of the editor widget, whose own buttons show them."""

    def __init__(self, widget):
        self._widget = widget

    def save(self):
        """Keep the segmentation as it is; what follows is one step."""
        self._widget.saveStateForUndo()

    def undo(self):
        """Go back one step."""
        self._widget.undo()

    def redo(self):
        """Take the last step again."""
        self._widget.redo()


def makeEditorWidget(layout):
    """A qMRMLSegmentEditorWidget at the end of a layout, over the module's own editor node."""
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
