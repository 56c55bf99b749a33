"""Doubles of Slicer's MRML widgets over the real scene: the properties, slots and signals that modules use, no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Property, Signal

from Testing.slicer_harness import qt_facade
from Testing.slicer_harness.ui_loader import custom_widget

qt: Any = qt_facade.install()


def option(name: str, qt_type: Any) -> Any:
    """A property that changes which nodes are listed, or what the box offers."""

    def write(box: Any, value: Any) -> None:
        box._options[name] = value
        box._refresh()

    return Property(qt_type, lambda box: box._options[name], write)


class Observations:
    """Observers of VTK objects that go with their widget, as those of the real widgets do."""

    def __init__(self, widget: Any) -> None:
        self._made: list[tuple[Any, int]] = []
        widget.destroyed.connect(self.end)

    def add(self, observed: Any, event: Any, function: Callable) -> None:
        self._made.append((observed, observed.AddObserver(event, function)))

    def end(self, *_: Any) -> None:
        for observed, tag in self._made:
            observed.RemoveObserver(tag)
        self._made.clear()


@custom_widget("slicer")
class qMRMLWidget(qt.QWidget):
    """A widget that knows the scene and tells its children."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        return self._scene


@custom_widget("slicer")
class qMRMLNodeComboBox(qt.QWidget):
    """Chooses a node of the scene. Without "None" the first node is chosen by itself, as in Slicer."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    nodeAddedByUser = Signal(object)

    nodeTypes = option("nodeTypes", "QStringList")
    hideChildNodeTypes = option("hideChildNodeTypes", "QStringList")
    baseName = option("baseName", str)
    noneDisplay = option("noneDisplay", str)
    noneEnabled = option("noneEnabled", bool)
    showHidden = option("showHidden", bool)
    showChildNodeTypes = option("showChildNodeTypes", bool)
    addEnabled = option("addEnabled", bool)
    removeEnabled = option("removeEnabled", bool)
    editEnabled = option("editEnabled", bool)
    renameEnabled = option("renameEnabled", bool)
    selectNodeUponCreation = option("selectNodeUponCreation", bool)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._box = qt.QComboBox()
        layout = qt.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._scene: Any = None
        self._observations = Observations(self)
        self._ids: list[str] = []
        self._announced: str = ""
        self._options: dict[str, Any] = {
            "nodeTypes": [],
            "hideChildNodeTypes": [],
            "baseName": "",
            "noneDisplay": "None",
            "noneEnabled": False,
            "showHidden": False,
            "showChildNodeTypes": True,
            "addEnabled": True,
            "removeEnabled": True,
            "editEnabled": False,
            "renameEnabled": False,
            "selectNodeUponCreation": True,
        }
        self._attributes: list[tuple[str, str, Any]] = []
        self._box.currentIndexChanged.connect(self._announce)
        self.setEnabled(False)

    def setMRMLScene(self, scene: Any) -> None:
        self._observations.end()
        self._scene = scene
        if scene is not None:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndBatchProcessEvent):
                self._observations.add(scene, event, self._on_scene_changed)
        self.setEnabled(scene is not None)
        self._refresh()

    def mrmlScene(self) -> Any:
        return self._scene

    def _on_scene_changed(self, caller: Any, event: str) -> None:
        if not self._scene.IsBatchProcessing():
            self._refresh()

    def _nodes(self) -> list[Any]:
        return [self._scene.GetNodeByID(i) for i in self._ids if i]

    def nodeCount(self) -> int:
        return len(self._nodes())

    def nodeFromIndex(self, index: int) -> Any:
        return self._nodes()[index] if 0 <= index < self.nodeCount() else None

    def _is_listed(self, node: Any) -> bool:
        classes, hidden_classes = self._options["nodeTypes"], self._options["hideChildNodeTypes"]
        if self._options["showChildNodeTypes"]:
            fits = any(node.IsA(c) for c in classes) and not any(node.IsA(c) for c in hidden_classes)
        else:
            fits = node.GetClassName() in classes
        is_shown = self._options["showHidden"] or not node.GetHideFromEditors()
        return fits and is_shown and all(has_attribute(node, *asked) for asked in self._attributes)

    def _refresh(self) -> None:
        """Lists the scene's nodes anew; the current one stays where it is still there."""
        if self._scene is None:
            return
        index, was_empty, current = self._box.currentIndex, not self._ids, self.currentNodeID
        nodes = [self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes())]
        shown = [node for node in nodes if self._is_listed(node)]
        none = [(self._options["noneDisplay"], "")] if self._options["noneEnabled"] else []
        entries = none + [(node.GetName(), node.GetID()) for node in shown]
        self._ids = [entry_id for _, entry_id in entries]
        self._box.blockSignals(True)
        self._box.clear()
        self._box.addItems([name for name, _ in entries])
        self._box.blockSignals(False)
        if current in self._ids and (current or none):
            self._box.currentIndex = self._ids.index(current)
        elif none:
            self._box.currentIndex = 0
        elif was_empty or current:
            self._box.currentIndex = min(max(index, 0), len(entries) - 1)
        else:
            self._box.currentIndex = -1
        self._announce()

    def _announce(self, *_: Any) -> None:
        if self.currentNodeID != self._announced:
            self._announced = self.currentNodeID
            self.currentNodeIDChanged.emit(self._announced)
            self.currentNodeChanged.emit(self.currentNode())

    def _current_id(self) -> str:
        index = self._box.currentIndex
        return self._ids[index] if 0 <= index < len(self._ids) else ""

    def setCurrentNodeID(self, node_id: str | None) -> None:
        node_id = node_id or ""
        self._box.currentIndex = self._ids.index(node_id) if node_id in self._ids else self._none_index()

    def _none_index(self) -> int:
        return 0 if self._options["noneEnabled"] else -1

    currentNodeID: Any = Property(str, _current_id, setCurrentNodeID)

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self.currentNodeID) if self._scene is not None and self.currentNodeID else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(None if node is None else node.GetID())

    def setCurrentNodeIndex(self, index: int) -> None:
        self.setCurrentNode(self.nodeFromIndex(index))

    def addAttribute(self, node_type: str, name: str, value: Any = None) -> None:
        self._attributes.append((node_type, name, value))
        self._refresh()

    def addNode(self, node_type: str | None = None) -> Any:
        node_type = node_type or self._options["nodeTypes"][0]
        name = (self._options["baseName"],) if self._options["baseName"] else ()
        node = self._scene.AddNewNodeByClass(node_type, *name)
        for asked_type, attribute, value in self._attributes:
            if node.IsA(asked_type):
                node.SetAttribute(attribute, value)
        self._refresh()
        if self._options["selectNodeUponCreation"]:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        self._scene.RemoveNode(self.currentNode())


def has_attribute(node: Any, node_type: str, name: str, value: str | None) -> bool:
    """Whether a node passes a filter of ``addAttribute``; without a value any will do."""
    if not node.IsA(node_type):
        return True
    return node.GetAttribute(name) is not None if value is None else node.GetAttribute(name) == value
