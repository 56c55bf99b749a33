"""Slicer's Segment Editor without its widget: settings, undo steps, and writing as its effects write."""

from __future__ import annotations

from typing import Any, Protocol

import slicer

SINGLETON_TAG = "SegAnyPET"
UNDO_STATES = 10
#: An attribute of editor nodes that have this module's defaults. Closing a scene resets singletons and removes it.
PREPARED = "SegAnyPET.prepared"


class UndoHistory(Protocol):
    """Keeps undo steps: the editor's logic, or the editor widget, which shows buttons for them."""

    def save(self) -> None:
        """Save the segmentation; what follows is one step."""

    def undo(self) -> None:
        """Go back one step."""

    def redo(self) -> None:
        """Repeat the step that was taken back last."""


class LogicHistory:
    """The history of the Segment Editor's logic."""

    def __init__(self, logic: Any) -> None:
        self._logic = logic

    def save(self) -> None:
        """Save the segmentation; what follows is one step."""
        self._logic.SaveStateForUndo()

    def undo(self) -> None:
        """Go back one step."""
        self._logic.Undo()

    def redo(self) -> None:
        """Repeat the step that was taken back last."""
        self._logic.Redo()


class SegmentEditor:
    """The editor's logic over an editor node, whose overwrite mode and masking rule what is written.

    Args:
        scene: the MRML scene.
        application_logic: the vtkMRMLApplicationLogic.
        node: the vtkMRMLSegmentEditorNode with the settings, the editor widget's own if there is one.
        history: keeps undo steps; by default the logic's own, without a widget.
    """

    def __init__(self, scene: Any, application_logic: Any, node: Any, history: UndoHistory | None = None) -> None:
        self.node = node
        self.logic = slicer.vtkSlicerSegmentEditorLogic()
        self.logic.SetMRMLScene(scene)
        self.logic.SetMRMLApplicationLogic(application_logic)
        self.logic.SetSegmentEditorNode(node)
        self.logic.SetMaximumNumberOfUndoStates(UNDO_STATES)
        self.history: UndoHistory = history or LogicHistory(self.logic)

    def select(self, segmentation: Any | None, volume_node: Any | None) -> None:
        """Edit a segmentation over a volume, or none.

        Another segmentation than before begins a history of its own. The volume becomes the editor's source: for
        thresholds and masking, the editor widget would use the reference volume of the segmentation instead.
        """
        prepare(self.node)
        if self.node.GetSegmentationNode() is not segmentation:
            self.node.SetAndObserveSegmentationNode(segmentation)
        if self.node.GetSourceVolumeNode() is not volume_node:
            self.node.SetAndObserveSourceVolumeNode(volume_node)

    def edits(self, segmentation: Any | None, volume_node: Any | None) -> bool:
        """Return whether this segmentation is edited over this volume."""
        return self.node.GetSegmentationNode() is segmentation and self.node.GetSourceVolumeNode() is volume_node

    @property
    def masks(self) -> bool:
        """Whether the settings protect some voxels from changes."""
        everywhere = self.node.GetMaskMode() == slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere
        return not everywhere or bool(self.node.GetSourceVolumeIntensityMask())


def editor_node(scene: Any) -> Any:
    """Return the vtkMRMLSegmentEditorNode of this module in a scene; it is created if it does not exist."""
    node = scene.GetSingletonNode(SINGLETON_TAG, "vtkMRMLSegmentEditorNode")
    if node is None:
        node = slicer.vtkMRMLSegmentEditorNode()
        node.SetSingletonTag(SINGLETON_TAG)
        node = scene.AddNode(node)
    prepare(node)
    return node


def prepare(node: Any) -> None:
    """Set a new or reset editor node to overwrite no other segments; what the user chose since stays.

    Slicer's own default erases the neighbours.
    """
    if node.GetAttribute(PREPARED) is None:
        node.SetOverwriteMode(node.OverwriteNone)
        node.SetAttribute(PREPARED, "1")
