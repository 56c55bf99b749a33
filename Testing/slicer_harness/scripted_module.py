"""Doubles of ``slicer.ScriptedLoadableModule`` and ``slicer.i18n``: what a scripted module inherits."""

from __future__ import annotations

import importlib
import sys
import unittest
from pathlib import Path
from typing import Any

import slicer
import slicer.util
from PySide6.QtCore import Property

from Testing.slicer_harness import qt_facade
from Testing.slicer_harness.mrml_widgets import qMRMLWidget
from Testing.slicer_harness.ui_loader import custom_widget

qt = qt_facade.install()


def resource_path(module_file: str, name: str) -> str:
    """A file in the folder Resources beside a module."""
    return str(Path(module_file).parent / "Resources" / name)


@custom_widget("slicer")
class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    """The C++ widget around a module's panel, which knows whether the user is in the module."""

    def __init__(self, name: str = "", parent: Any = None) -> None:
        super().__init__(parent)
        self._name = name
        self._entered = False
        self._widget: Any = None

    isEntered = Property(bool, lambda w: w._entered)

    def self(self) -> Any:
        """The module's widget in Python."""
        return self._widget

    def enter(self) -> None:
        self._entered = True
        self._widget.enter()

    def exit(self) -> None:
        self._entered = False
        self._widget.exit()

    def reload(self) -> None:
        """Make the Python widget again from the module that was imported last, and set it up; it is not entered."""
        python = sys.modules[self._name]
        self._widget = getattr(python, f"{self._name}Widget")(self)
        setattr(slicer.modules, f"{self._name}Widget", self._widget)
        self._widget.setup()


class ScriptedLoadableModule:
    """What Slicer lists: title, category, help."""

    def __init__(self, parent: Any) -> None:
        super().__init__()
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title = ""
        parent.categories = []
        parent.dependencies = []
        parent.contributors = []
        parent.helpText = ""
        parent.acknowledgementText = ""
        for extension in (".svg", ".png"):
            icon = Path(self.resourcePath("Icons")) / (self.moduleName + extension)
            if icon.is_file():
                parent.icon = qt.QIcon(str(icon))
                break
        slicer.selfTests[self.moduleName] = self.runTest

    def resourcePath(self, filename: str) -> str:
        return resource_path(self.parent.path, filename)

    def runTest(self, msec: int = 100) -> None:
        """Run the module's self-tests; ``slicer.selfTests`` has this."""
        module = importlib.import_module(type(self).__module__)
        test = getattr(module, f"{self.moduleName}Test")()
        test.messageDelay = msec
        test.runTest()

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        return f'<p>For more information see the <a href="{docPage or self.moduleName}">online documentation</a>.</p>'


class ScriptedLoadableModuleWidget:
    """The panel of a module."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = slicer.util.settingsValue("Developer/DeveloperMode", False, converter=slicer.util.toBool)
        self.parent = parent or slicer.qMRMLWidget()
        if parent is None:
            self.parent.setLayout(qt.QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        self.layout = self.parent.layout()
        if parent is None:
            self.setup()
            self.parent.show()
        slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def _onModuleAboutToBeUnloaded(self, moduleName: str) -> None:
        if moduleName == self.moduleName:
            self.cleanup()
            slicer.app.moduleManager().disconnect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def resourcePath(self, filename: str) -> str:
        return resource_path(slicer.util.modulePath(self.moduleName), filename)

    def setup(self) -> None:
        """The real one adds a section for developers where the settings ask for it."""

    def cleanup(self) -> None:
        """Called before the module goes."""

    def onReload(self) -> None:
        slicer.util.reloadScriptedModule(self.moduleName)


class ScriptedLoadableModuleLogic:
    """What a module computes; its parameters lie in the scene."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        if self.isSingletonParameterNode:
            node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
            if node is not None:
                # Closing the scene takes the attribute away.
                node.SetAttribute("ModuleName", self.moduleName)
                return node
        found = self.getAllParameterNodes()
        return found[0] if found else slicer.mrmlScene.AddNode(self.createParameterNode())

    def getAllParameterNodes(self) -> list[Any]:
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self) -> Any:
        node = slicer.vtkMRMLScriptedModuleNode()
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """A module's self-tests."""

    def delayDisplay(self, message: str, requestedDelay: int | None = None, msec: int | None = None) -> None:
        slicer.util.delayDisplay(message, 0)

    def runTest(self) -> None:
        """A module's test says here what to run."""


def tr(text: str) -> str:
    """The text in the user's language; the harness speaks English."""
    return text


def translate(context: str, text: str) -> str:
    """The text in the user's language; the harness speaks English."""
    return text
