"""Slicer's real scene and logics, from the wheel slicer-core, as the application makes them at its start."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

# Without a display VTK would first look for an X server, and warn.
if sys.platform == "linux" and "DISPLAY" not in os.environ:
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import slicer
import vtk

#: Modules whose logic lives in the wheel, by the name under ``slicer.modules`` and the name that other logics ask for.
MODULE_LOGICS = {
    "subjecthierarchy": ("SubjectHierarchy", "vtkSlicerSubjectHierarchyModuleLogic"),
    "segmentations": ("Segmentations", "vtkSlicerSegmentationsModuleLogic"),
    "volumes": ("Volumes", "vtkSlicerVolumesLogic"),
    "markups": ("Markups", "vtkSlicerMarkupsLogic"),
    "transforms": ("Transforms", "vtkSlicerTransformLogic"),
    "tables": ("Tables", "vtkSlicerTablesLogic"),
    "units": ("Units", "vtkSlicerUnitsLogic"),
}


class SlicerCore:
    """The scene, the application's logic and the logics of its modules.

    Args:
        folder: for temporary files; it exists.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scene = slicer.vtkMRMLScene()
        self.application_logic = slicer.vtkSlicerApplicationLogic()
        self.application_logic.SetTemporaryPath(str(folder))
        self.application_logic.SetMRMLScene(self.scene)
        colors = self.application_logic.GetColorLogic()
        colors.SetMRMLScene(self.scene)
        colors.AddDefaultColorNodes()
        self.application_logic.SetModuleLogic("Colors", colors)
        self.application_logic.SetSliceLogics(vtk.vtkCollection())
        self.application_logic.SetViewLogics(vtk.vtkCollection())
        self._read_archives()
        self.logics = {name: self._logic(*known) for name, known in MODULE_LOGICS.items()}
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        self.scene.AddNode(crosshair)
        patient_right_is_screen_left = True
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, patient_right_is_screen_left)
        self._own_nodes = set(self._nodes())

    def _nodes(self) -> list[Any]:
        return [self.scene.GetNthNode(i) for i in range(self.scene.GetNumberOfNodes())]

    def start_again(self) -> None:
        """Empty the scene, and take out the singletons of modules and views, which outlive a closed scene."""
        self.scene.Clear(0)
        for node in self._nodes():
            if node not in self._own_nodes:
                self.scene.RemoveNode(node)

    def _logic(self, module: str, class_name: str) -> Any:
        logic = getattr(slicer, class_name)()
        logic.SetMRMLScene(self.scene)
        logic.SetMRMLApplicationLogic(self.application_logic)
        self.application_logic.SetModuleLogic(module, logic)
        return logic

    def _read_archives(self) -> None:
        """What reading .mrb needs: a cache folder and its managers."""
        cache = self.folder / "cache"
        cache.mkdir()
        self.remote = slicer.vtkMRMLRemoteIOLogic()
        self.remote.SetMRMLScene(self.scene)
        self.remote.SetMRMLApplicationLogic(self.application_logic)
        self.remote.GetCacheManager().SetRemoteCacheDirectory(str(cache))
        self.data_io = slicer.vtkDataIOManagerLogic()
        self.data_io.SetMRMLScene(self.scene)
        self.data_io.SetMRMLApplicationLogic(self.application_logic)
        self.data_io.SetAndObserveDataIOManager(self.remote.GetDataIOManager())
        self.remote.AddDataIOToScene()


@functools.cache
def slicer_core() -> SlicerCore:
    """The one of this process; a second scene would confuse Slicer's factories."""
    # Slicer keeps its temporary folder until the process ends.
    folder = tempfile.TemporaryDirectory(prefix="slicer_harness")
    core = SlicerCore(Path(folder.name))
    core.temporary_folder = folder  # type: ignore[attr-defined]
    return core
