"""Puts the facade, the doubles and Slicer's real libraries where a scripted module imports them from."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import slicer
import slicer.util

from Testing.slicer_harness import (  # noqa: F401 - the modules of widgets register them
    ctk_widgets,
    mrml_widgets,
    parameter_node_wrapper,
    qt_facade,
    scripted_module,
    segment_editor_widget,
)
from Testing.slicer_harness.application import Application, modules_of
from Testing.slicer_harness.application_log import RootLogger
from Testing.slicer_harness.core import SlicerCore
from Testing.slicer_harness.dialogs import Dialogs
from Testing.slicer_harness.installers import (
    Installations,
    module,
    packaging_module,
    pip_install_of_5_10,
    pytorch_module,
    sample_data_module,
)
from Testing.slicer_harness.segment_statistics import statistics_modules
from Testing.slicer_harness.ui_loader import CUSTOM_WIDGETS, HOMES, QUiLoader

qt = qt_facade.install()

SCRIPTED_NAMES = [f"ScriptedLoadableModule{part}" for part in ("", "Widget", "Logic", "Test")]
WRAPPER_NAMES = ["parameterNodeWrapper", "Default", "WithinRange", "Minimum", "Maximum", "Choice", "Validator"]


class LoadedModule:
    """A module as Slicer loaded it.

    Attributes:
        python: the Python module.
        description: what Slicer lists (title, categories, helpText ...).
        parent: the C++ widget around its panel; None if it has no panel.
    """

    def __init__(self, python: ModuleType, description: Any, parent: Any) -> None:
        self.python = python
        self.description = description
        self.parent = parent

    @property
    def widget(self) -> Any:
        """Its panel, set up and shown, another one after a reload; None if it has none."""
        return None if self.parent is None else self.parent.self()

    def enter(self) -> None:
        """The user comes to the panel."""
        self.parent.enter()

    def exit(self) -> None:
        """The user leaves the panel."""
        self.parent.exit()


class SlicerHarness:
    """Slicer for one test: doubles over the real scene.

    Args:
        core: the real scene and logics.
        monkeypatch: pytest's; everything goes back with it.
        settings_folder: where QSettings of this test lie.

    Attributes:
        app: ``slicer.app``.
        scene: ``slicer.mrmlScene``.
        dialogs: what the user was shown, and what they answer.
        installations: what was asked to be installed.
        root_logger: Python's, with Slicer's handler.
        main_window: None until it is opened.
    """

    def __init__(self, core: SlicerCore, monkeypatch: Any, settings_folder: Path) -> None:
        self._monkeypatch = monkeypatch
        self.core = core
        self.scene = core.scene
        self.app = Application(core)
        self.dialogs = Dialogs()
        self.installations = Installations()
        self.root_logger = RootLogger()
        self.loaded: list[LoadedModule] = []
        self.main_window: Any = None
        qt.application.organizationName = "SegAnyPET tests"
        qt.QSettings.setDefaultFormat(qt.QSettings.IniFormat)
        qt.QSettings.setPath(qt.QSettings.IniFormat, qt.QSettings.UserScope, str(settings_folder))
        self._install_slicer()
        self._install_modules()
        self.dialogs.install(monkeypatch)
        monkeypatch.setattr("importlib.metadata.version", self.installations.version)

    def _install_slicer(self) -> None:
        """What hangs on ``slicer``."""
        contents = {
            "app": self.app,
            "mrmlScene": self.scene,
            "modules": modules_of(self.core),
            "selfTests": {},
        }
        contents |= {name: double for name, double in CUSTOM_WIDGETS.items() if HOMES[name] == "slicer"}
        for name, value in contents.items():
            self._monkeypatch.setattr(slicer, name, value, raising=False)
        self._monkeypatch.setattr(slicer.util, "selectModule", self._select_module)

    def _install_modules(self) -> None:
        """What modules import."""
        ctk = {name: double for name, double in CUSTOM_WIDGETS.items() if HOMES[name] == "ctk"}
        made = [
            module("ctk", **ctk),
            module("slicer.i18n", tr=scripted_module.tr, translate=scripted_module.translate),
            exporting("slicer.ScriptedLoadableModule", scripted_module, SCRIPTED_NAMES),
            exporting("slicer.parameterNodeWrapper", parameter_node_wrapper, WRAPPER_NAMES),
            packaging_module(self.installations),
            pytorch_module(self.installations),
            sample_data_module(self.installations),
            *statistics_modules(),
        ]
        self._monkeypatch.setattr(qt, "QUiLoader", QUiLoader, raising=False)
        for python_module in made:
            self._monkeypatch.setitem(sys.modules, python_module.__name__, python_module)
            package, _, name = python_module.__name__.rpartition(".")
            if package:
                self._monkeypatch.setattr(slicer, name, python_module, raising=False)

    def _select_module(self, selected: Any) -> None:
        name = selected if isinstance(selected, str) else selected.name
        self.app.selected_module = name
        panels = [loaded for loaded in self.loaded if loaded.parent is not None]
        for loaded in panels:
            if loaded.parent.isEntered and loaded.description.name != name:
                loaded.exit()
        for loaded in panels:
            if loaded.description.name == name and not loaded.parent.isEntered:
                loaded.enter()

    def without_pytorch_extension(self) -> None:
        """The user has not installed it."""
        self._monkeypatch.setitem(sys.modules, "PyTorchUtils", None)

    def as_slicer_5_10(self) -> None:
        """Slicer before it had ``slicer.packaging``."""
        self._monkeypatch.setitem(sys.modules, "slicer.packaging", None)
        self._monkeypatch.setattr(slicer.util, "pip_install", pip_install_of_5_10(self.installations))

    def open_main_window(self) -> Any:
        """Slicer with its main window, in which panels open from now on; without it Slicer runs as in its own tests."""
        self.main_window = qt.QMainWindow()
        self.main_window.name = "qSlicerMainWindow"
        self.main_window.resize(500, 900)
        self.main_window.show()
        self.main_window.activateWindow()
        qt.QTest.qWaitForWindowActive(self.main_window)
        return self.main_window

    def load(self, name: str, folder: Path) -> LoadedModule:
        """Load ``folder/name.py`` as Slicer does: import it, list it, start the application, open its panel."""
        self._monkeypatch.syspath_prepend(str(folder))
        self._monkeypatch.delitem(sys.modules, name, raising=False)
        python = importlib.import_module(name)
        path = str(folder / f"{name}.py")
        description = SimpleNamespace(name=name, path=path)
        setattr(slicer.modules, name.lower(), description)
        getattr(python, name)(description)
        self.app.startupCompleted.emit()
        parent = self._open_panel(description, name) if hasattr(python, f"{name}Widget") else None
        loaded = LoadedModule(python, description, parent)
        self.loaded.append(loaded)
        return loaded

    def _open_panel(self, description: Any, name: str) -> Any:
        parent = scripted_module.qSlicerScriptedLoadableModuleWidget(name)
        parent.setLayout(qt.QVBoxLayout())
        parent.setMRMLScene(self.scene)
        description.widgetRepresentation = lambda: parent
        parent.reload()
        if self.main_window is not None:
            self.main_window.setCentralWidget(parent)
        parent.show()
        self.app.processEvents()
        return parent

    def press(self, widget: Any) -> None:
        """The user clicks a widget with the left button; what follows from it has happened."""
        if widget.inherits("QCheckBox") or widget.inherits("QRadioButton"):
            # What can be clicked is the box at the left, not the whole width.
            spot = qt.QPoint(8, widget.height // 2)
        else:
            spot = qt.QPoint(widget.width // 2, widget.height // 2)
        qt.QTest.mouseClick(widget, qt.Qt.LeftButton, qt.Qt.NoModifier, spot)
        self.app.processEvents()

    def close(self) -> None:
        """The application ends: modules go, then the scene, then the panels."""
        for loaded in self.loaded:
            self.app.moduleManager().moduleAboutToBeUnloaded.emit(loaded.python.__name__)
        self.app.aboutToQuit.emit()
        self.app.layoutManager().close()
        self.core.start_again()
        self.app.processEvents()
        for loaded in self.loaded:
            if loaded.parent is not None:
                loaded.parent.delete()
        if self.main_window is not None:
            self.main_window.delete()
        self.root_logger.restore()


def exporting(name: str, source: ModuleType, names: list[str]) -> ModuleType:
    """A module with some names of another, for ``from ... import *`` too."""
    return module(name, __all__=names, **{exported: getattr(source, exported) for exported in names})
