"""Doubles of ``slicer.app``, ``slicer.modules`` and the layout manager: what modules ask of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import slicer
from PySide6.QtCore import QObject, Signal

from Testing.slicer_harness import qt_facade
from Testing.slicer_harness.core import SlicerCore
from Testing.slicer_harness.io_manager import CoreIOManager
from Testing.slicer_harness.slice_views import SliceView

qt = qt_facade.install()


class ModuleManager(QObject):
    """Tells widgets that their module goes."""

    moduleAboutToBeUnloaded = Signal(str)


class SliceWidget:
    """What the layout manager gives for a slice view."""

    def __init__(self, view: SliceView) -> None:
        self._view = view

    def mrmlSliceNode(self) -> Any:
        return self._view.node

    def sliceLogic(self) -> Any:
        return self._view.logic

    def interactor(self) -> Any:
        return self._view.interactor


class LayoutManager:
    """The slice views that a test opened; there are no 3D, table or plot views.

    Layouts are those of Slicer's real layout logic, which makes the nodes of their views.

    Attributes:
        views: by name ("Red"); a test puts them here.
    """

    threeDViewCount = 0
    tableViewCount = 0
    plotViewCount = 0

    def __init__(self, core: SlicerCore) -> None:
        self._core = core
        self._logic: Any = None
        self.views: dict[str, SliceView] = {}

    def layoutLogic(self) -> Any:
        if self._logic is None:
            self._logic = slicer.vtkMRMLLayoutLogic()
            self._logic.SetMRMLScene(self._core.scene)
        return self._logic

    @property
    def layout(self) -> int:
        return int(self.layoutLogic().GetLayoutNode().GetViewArrangement())

    def setLayout(self, layout: int) -> None:
        self.layoutLogic().GetLayoutNode().SetViewArrangement(layout)

    def close(self) -> None:
        """Let the scene go."""
        if self._logic is not None:
            self._logic.SetMRMLScene(None)

    def sliceViewNames(self) -> list[str]:
        return list(self.views)

    def sliceWidget(self, name: str) -> SliceWidget:
        return SliceWidget(self.views[name])

    def mrmlSliceLogics(self) -> Any:
        return self._core.application_logic.GetSliceLogics()

    def resetSliceViews(self) -> None:
        for view in self.views.values():
            view.logic.FitSliceToAll()

    def resetThreeDViews(self) -> None:
        """There is none."""


class Application(QObject):
    """``slicer.app``: Qt's application and Slicer's together.

    Attributes:
        selected_module: that was switched to last.
    """

    startupCompleted = Signal()
    aboutToQuit = Signal()
    applicationName = "Slicer"
    majorVersion, minorVersion, revision = 5, 12, "34000"

    def __init__(self, core: SlicerCore) -> None:
        super().__init__()
        self._core = core
        self._qt = qt.application
        self._modules = ModuleManager()
        self._io = CoreIOManager(core)
        self._layouts = LayoutManager(core)
        self.temporaryPath = str(core.folder)
        self.selected_module = ""

    def mrmlScene(self) -> Any:
        return self._core.scene

    def applicationLogic(self) -> Any:
        return self._core.application_logic

    def coreIOManager(self) -> CoreIOManager:
        return self._io

    def ioManager(self) -> CoreIOManager:
        return self._io

    def layoutManager(self) -> LayoutManager:
        return self._layouts

    def moduleManager(self) -> ModuleManager:
        return self._modules

    def testingEnabled(self) -> bool:
        """False: messages and questions take the way that they take for a user."""
        return False

    def settings(self) -> Any:
        return qt.QSettings()

    def userSettings(self) -> Any:
        return qt.QSettings()

    def processEvents(self, *flags: Any) -> None:
        self._qt.processEvents(*flags)

    def topLevelWidgets(self) -> list[Any]:
        return self._qt.topLevelWidgets()

    def setOverrideCursor(self, cursor: Any) -> None:
        self._qt.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        self._qt.restoreOverrideCursor()

    def translate(self, context: str, text: str) -> str:
        return text

    def pauseRender(self) -> None:
        """Views of the harness render when they are asked to."""

    def resumeRender(self) -> None:
        """Views of the harness render when they are asked to."""


def modules_of(core: SlicerCore) -> SimpleNamespace:
    """``slicer.modules`` with the modules whose logic is real."""
    return SimpleNamespace(
        **{name: SimpleNamespace(name=name, logic=lambda logic=logic: logic) for name, logic in core.logics.items()}
    )
