"""QUiLoader that puts doubles where a .ui file names widgets of CTK or Slicer."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtUiTools

#: Doubles by class name, and in which Python module Slicer has the class (``ctk`` or ``slicer``).
CUSTOM_WIDGETS: dict[str, type] = {}
HOMES: dict[str, str] = {}


def custom_widget(home: str) -> Callable[[type], type]:
    """Decorator of a double; ``home`` is the Python module in which Slicer has the class."""

    def register(double: type) -> type:
        CUSTOM_WIDGETS[double.__name__] = double
        HOMES[double.__name__] = home
        return double

    return register


class QUiLoader(QtUiTools.QUiLoader):
    """Loads a .ui file; a custom widget without a double is an error."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        for double in CUSTOM_WIDGETS.values():
            self.registerCustomWidget(double)

    def load(self, file: QtCore.QFile, parent: Any = None) -> Any:  # type: ignore[override]  # modules give a file
        """The widget that an open file describes.

        Raises:
            NotImplementedError: a custom widget of the file has no double.
        """
        path = file.fileName()
        file.close()
        described = ET.parse(path).getroot()
        lacking = {w.findtext("class", "") for w in described.iter("customwidget")} - set(CUSTOM_WIDGETS)
        if lacking:
            raise NotImplementedError(f"{path}: the harness has no double of {', '.join(sorted(lacking))}")
        scene_connections = take_scene_connections(described)
        self.setWorkingDirectory(QtCore.QDir(os.path.dirname(path)))
        content = QtCore.QBuffer()
        content.setData(ET.tostring(described))
        content.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(content, parent)
        for sender, signal, receiver, slot in scene_connections:
            named(widget, sender).connect(signal, named(widget, receiver), slot)
        return widget


def take_scene_connections(described: ET.Element) -> list[tuple[str, str, str, str]]:
    """Connections that pass VTK objects, taken out: Qt's own loader cannot make them for widgets written in Python."""
    taken = []
    for connections in described.iter("connections"):
        for connection in list(connections):
            sender, signal, receiver, slot = (
                connection.findtext(t, "") for t in ("sender", "signal", "receiver", "slot")
            )
            if "vtk" in signal:
                connections.remove(connection)
                taken.append((sender, signal, receiver, slot))
    return taken


def named(widget: Any, name: str) -> Any:
    """The widget itself or its child of that name."""
    return widget if widget.objectName == name else widget.findChild(QtCore.QObject, name)
