"""Double of ``qMRMLSegmentEditorWidget`` over the real ``vtkSlicerSegmentEditorLogic``.

Selections, undo and redo go to the logic as the real widget passes them on; effects are names without a panel or mouse.
Names, shortcuts, and what a selection brings with it (first segment, reference volume, end of place mode) are those of
Slicer's source (qMRMLSegmentEditorWidget.h and .cxx, 5.11). So are the selectors, which choose nodes by themselves when
the scene changes, whether or not they are shown, and decide what is edited after a scene was loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from PySide6.QtCore import Property, Signal

from Testing.slicer_harness import qt_facade
from Testing.slicer_harness.mrml_widgets import Observations, qMRMLNodeComboBox, qMRMLWidget
from Testing.slicer_harness.ui_loader import custom_widget

qt = qt_facade.install()

EFFECTS = (
    "Threshold",
    "Paint",
    "Draw",
    "Erase",
    "Level tracing",
    "Grow from seeds",
    "Fill between slices",
    "Margin",
    "Hollow",
    "Smoothing",
    "Scissors",
    "Islands",
    "Logical operators",
    "Mask volume",
)

#: The widget steps over segments that are hidden.
VISIBLE_ONLY = True


def kept(name: str, qt_type: Any) -> Any:
    """A property that is only remembered: it rules a part of the real widget that the double lacks."""
    return Property(qt_type, lambda w: w._kept[name], lambda w, value: w._kept.update({name: value}))


class Effect:
    """An effect by its name."""

    def __init__(self, name: str) -> None:
        self.name = name


@custom_widget("slicer")
class qMRMLSegmentEditorWidget(qMRMLWidget):
    """The Segment Editor's widget."""

    currentSegmentIDChanged = Signal(str)
    sourceVolumeNodeChanged = Signal(object)
    segmentationNodeChanged = Signal(object)

    segmentationNodeSelectorVisible = kept("segmentationNodeSelectorVisible", bool)
    sourceVolumeNodeSelectorVisible = kept("sourceVolumeNodeSelectorVisible", bool)
    switchToSegmentationsButtonVisible = kept("switchToSegmentationsButtonVisible", bool)
    autoShowSourceVolumeNode = kept("autoShowSourceVolumeNode", bool)
    undoEnabled = kept("undoEnabled", bool)
    readOnly = kept("readOnly", bool)
    unorderedEffectsVisible = kept("unorderedEffectsVisible", bool)
    effectColumnCount = kept("effectColumnCount", int)
    jumpToSelectedSegmentEnabled = kept("jumpToSelectedSegmentEnabled", bool)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._kept = {
            "segmentationNodeSelectorVisible": True,
            "sourceVolumeNodeSelectorVisible": True,
            "switchToSegmentationsButtonVisible": True,
            "autoShowSourceVolumeNode": True,
            "undoEnabled": True,
            "readOnly": False,
            "unorderedEffectsVisible": True,
            "effectColumnCount": 2,
            "jumpToSelectedSegmentEnabled": False,
        }
        self._logic = slicer.vtkSlicerSegmentEditorLogic()
        self._selectors = {
            "segmentation": selector("vtkMRMLSegmentationNode", none_enabled=False),
            "source": selector("vtkMRMLScalarVolumeNode", none_enabled=True),
        }
        self._node: Any = None
        self._shown: dict[str, Any] = {"segmentation": None, "source": None, "segment": "", "effect": None}
        self._observations = Observations(self)
        self._effects = [Effect(name) for name in EFFECTS]
        self._order = list(EFFECTS)
        self._views_observed = False
        self._shortcuts: list[Any] = []
        layout = qt.QVBoxLayout(self)
        layout.addWidget(qt.QLabel("qMRMLSegmentEditorWidget (double)"))
        self._history_buttons = [qt.QToolButton(), qt.QToolButton()]
        for button, name, slot in zip(self._history_buttons, ("Undo", "Redo"), (self.undo, self.redo), strict=True):
            button.objectName = f"{name}Button"
            button.text = name
            button.connect("clicked()", slot)
            layout.addWidget(button)
        history_changed = self._logic.SegmentationHistoryChangedEvent
        self._history_observations = Observations(self)
        self._history_observations.add(self._logic, history_changed, self._show_history)
        self._show_history()
        self._scene_observations = Observations(self)
        self._selectors["segmentation"].currentNodeChanged.connect(self._take_segmentation)
        self._selectors["source"].currentNodeChanged.connect(self._take_source)

    # What is edited

    def setMRMLScene(self, scene: Any) -> None:
        self._logic.SetMRMLScene(scene)
        self._logic.SetMRMLApplicationLogic(slicer.app.applicationLogic())
        super().setMRMLScene(scene)
        for chooser in self._selectors.values():
            chooser.setMRMLScene(scene)
        self._scene_observations.end()
        self._scene_observations.add(scene, scene.EndBatchProcessEvent, self._on_end_of_batch)
        self._scene_observations.add(scene, scene.EndCloseEvent, self.updateWidgetFromMRML)
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        self._scene_observations.add(interaction, interaction.InteractionModeChangedEvent, self._on_mode)

    def _take_segmentation(self, node: Any) -> None:
        if self._node is not None:
            self.setSegmentationNode(node)

    def _take_source(self, node: Any) -> None:
        if self._node is not None:
            self.setSourceVolumeNode(node)

    def _on_end_of_batch(self, *_: Any) -> None:
        """After a scene was loaded or closed, what the selectors show is edited."""
        if self._node is not None:
            self.setSegmentationNode(self._selectors["segmentation"].currentNode())
            self.setSourceVolumeNode(self._selectors["source"].currentNode())
            self.updateWidgetFromMRML()

    def _on_mode(self, interaction: Any, event: Any) -> None:
        """An effect ends when points are placed."""
        if self.activeEffect() is not None and interaction.GetCurrentInteractionMode() == interaction.Place:
            self.setActiveEffect(None)

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        if node is self._node:
            return
        self._observations.end()
        self._node = node
        self._logic.SetSegmentEditorNode(node)
        if node is not None:
            self._observations.add(node, "ModifiedEvent", self.updateWidgetFromMRML)
        self.updateWidgetFromMRML()

    def mrmlSegmentEditorNode(self) -> Any:
        return self._node

    def updateWidgetFromMRML(self, *_: Any) -> None:
        """Follows what has changed in the editor node since."""
        for chooser, node in zip(
            self._selectors.values(), (self.segmentationNode(), self.sourceVolumeNode()), strict=True
        ):
            blocked = chooser.blockSignals(True)
            chooser.setCurrentNode(node)
            chooser.blockSignals(blocked)
        if self._changed("segmentation", self.segmentationNode()):
            self._follow_segmentation(self.segmentationNode())
        if self._changed("source", self.sourceVolumeNode()):
            if self.sourceVolumeNode() is not None and self.autoShowSourceVolumeNode:
                self.showSourceVolumeInSliceViewers()
            self.sourceVolumeNodeChanged.emit(self.sourceVolumeNode())
        if self._changed("segment", self.currentSegmentID()):
            self.currentSegmentIDChanged.emit(self.currentSegmentID())
        if self._changed("effect", self.activeEffect()):
            if self.activeEffect() is None:
                self.removeViewObservations()
            else:
                self.setupViewObservations()
                interaction = slicer.app.applicationLogic().GetInteractionNode()
                interaction.SetCurrentInteractionMode(interaction.ViewTransform)

    def _changed(self, part: str, now: Any) -> bool:
        before, self._shown[part] = self._shown[part], now
        return now is not before and now != before

    def _follow_segmentation(self, segmentation: Any) -> None:
        """Its reference volume becomes the source volume, and its first segment is selected."""
        if segmentation is not None:
            self.setSourceVolumeNode(
                segmentation.GetNodeReference(segmentation.GetReferenceImageGeometryReferenceRole())
            )
            segmentation.CreateDefaultDisplayNodes()
            if segmentation.GetSegmentation().GetNumberOfSegments():
                self._logic.SelectFirstSegment(VISIBLE_ONLY)
        self.segmentationNodeChanged.emit(segmentation)

    def showSourceVolumeInSliceViewers(self, forceShowInBackground: bool = False, fitSlice: bool = False) -> None:
        volume_id = self.sourceVolumeNodeID()
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            shown = (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID())
            if forceShowInBackground or volume_id not in shown:
                composite.SetBackgroundVolumeID(volume_id)
                composite.SetForegroundVolumeID(None)
                composite.SetLabelVolumeID(None)
        if fitSlice:
            slicer.util.resetSliceViews()

    def segmentationNode(self) -> Any:
        return None if self._node is None else self._node.GetSegmentationNode()

    def setSegmentationNode(self, node: Any) -> None:
        self._node.SetAndObserveSegmentationNode(node)

    def segmentationNodeID(self) -> str:
        return node_id(self.segmentationNode())

    def setSegmentationNodeID(self, identifier: str) -> None:
        self.setSegmentationNode(self.mrmlScene().GetNodeByID(identifier))

    def sourceVolumeNode(self) -> Any:
        return None if self._node is None else self._node.GetSourceVolumeNode()

    def setSourceVolumeNode(self, node: Any) -> None:
        self._node.SetAndObserveSourceVolumeNode(node)

    def sourceVolumeNodeID(self) -> str:
        return node_id(self.sourceVolumeNode())

    def setSourceVolumeNodeID(self, identifier: str) -> None:
        self.setSourceVolumeNode(self.mrmlScene().GetNodeByID(identifier))

    def currentSegmentID(self) -> str:
        return "" if self._node is None else self._node.GetSelectedSegmentID() or ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        if self._node is not None:
            self._node.SetSelectedSegmentID(segment_id)

    def selectNextSegment(self) -> None:
        self._logic.SelectNextSegment(VISIBLE_ONLY)

    def selectPreviousSegment(self) -> None:
        self._logic.SelectPreviousSegment(VISIBLE_ONLY)

    def selectSegmentAtOffset(self, offset: int) -> None:
        self._logic.SelectSegmentAtOffset(offset, VISIBLE_ONLY)

    def toggleSourceVolumeIntensityMaskEnabled(self) -> None:
        self._logic.ToggleSourceVolumeIntensityMask()

    # Undo

    def saveStateForUndo(self) -> None:
        self._logic.SaveStateForUndo()

    def undo(self) -> None:
        self._logic.Undo()

    def redo(self) -> None:
        self._logic.Redo()

    def _show_history(self, *_: Any) -> None:
        undo, redo = self._history_buttons
        undo.enabled, redo.enabled = self._logic.CanUndo(), self._logic.CanRedo()

    def _undo_states(self) -> int:
        return self._logic.GetMaximumNumberOfUndoStates()

    def setMaximumNumberOfUndoStates(self, states: int) -> None:
        self._logic.SetMaximumNumberOfUndoStates(states)

    maximumNumberOfUndoStates = Property(int, _undo_states, setMaximumNumberOfUndoStates)

    # Effects, by name only

    def availableEffectNames(self) -> list[str]:
        return [effect.name for effect in self._effects]

    def effectNameOrder(self) -> list[str]:
        return self._order

    def setEffectNameOrder(self, names: list[str]) -> None:
        self._order = list(names)

    def effectByName(self, name: str) -> Effect | None:
        return next((effect for effect in self._effects if effect.name == name), None)

    def activeEffect(self) -> Effect | None:
        return None if self._node is None else self.effectByName(self._node.GetActiveEffectName() or "")

    def setActiveEffect(self, effect: Effect | None) -> None:
        self._node.SetActiveEffectName("" if effect is None else effect.name)

    def setActiveEffectByName(self, name: str) -> None:
        self.setActiveEffect(self.effectByName(name))

    # Views and keys

    def setupViewObservations(self) -> None:
        self._views_observed = True

    def removeViewObservations(self) -> None:
        self._views_observed = False

    def rotateSliceViewsToSegmentation(self) -> None:
        """There is nothing to rotate: the views of the harness stand as the test left them."""

    def installKeyboardShortcuts(self, parent: Any = None) -> None:
        """All keys that the real widget takes, so that a clash with a module's own shows."""
        self.uninstallKeyboardShortcuts()
        parent = parent or slicer.util.mainWindow()
        ignored: Callable = lambda: None  # noqa: E731 - the double has no panel of effects
        digits = [f"{shift}{digit % 10}" for shift in ("", "Shift+") for digit in range(1, 11)]
        taken: dict[Any, Callable] = dict.fromkeys([*digits, "Space"], ignored)
        taken["Esc"] = lambda: self.setActiveEffect(None)
        taken |= {"Z": self.undo, qt.QKeySequence.Undo: self.undo, "Y": self.redo, qt.QKeySequence.Redo: self.redo}
        taken |= dict.fromkeys(["Q", "/", ",", ">"], self.selectPreviousSegment)
        taken |= dict.fromkeys(["W", "*", ".", "<"], self.selectNextSegment)
        taken["I"] = self.toggleSourceVolumeIntensityMaskEnabled
        for key, function in taken.items():
            shortcut = qt.QShortcut(qt.QKeySequence(key), parent)
            shortcut.connect("activated()", function)
            self._shortcuts.append(shortcut)

    def uninstallKeyboardShortcuts(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.delete()
        self._shortcuts = []


def selector(node_type: str, none_enabled: bool) -> Any:
    """A selector of nodes that is never shown."""
    made = qMRMLNodeComboBox()
    made.nodeTypes = [node_type]
    made.noneEnabled = none_enabled
    return made


def node_id(node: Any) -> str:
    """The node's identifier; empty for none."""
    return "" if node is None else node.GetID()
