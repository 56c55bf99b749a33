"""Slicer's real scene and logics without its application, once per process; each test gets the scene empty.

What the wheel slicer-core lacks and slicer.util expects (slicer.mrmlScene, slicer.modules) is put in place here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray


class SlicerCore:
    """The scene and the logics that Slicer's application makes at its start."""

    def __init__(self, folder: Path) -> None:
        import slicer
        import slicer.util
        import vtk

        self.scene = slicer.vtkMRMLScene()
        self.application = slicer.vtkSlicerApplicationLogic()
        self.application.SetTemporaryPath(str(folder))
        self.application.SetMRMLScene(self.scene)
        colors = self.application.GetColorLogic()
        colors.SetMRMLScene(self.scene)
        colors.AddDefaultColorNodes()
        self.application.SetModuleLogic("Colors", colors)
        self.application.SetSliceLogics(vtk.vtkCollection())
        self.application.SetViewLogics(vtk.vtkCollection())
        self._read_archives(folder)
        logics = {
            "segmentations": slicer.vtkSlicerSegmentationsModuleLogic(),
            "volumes": slicer.vtkSlicerVolumesLogic(),
            "markups": slicer.vtkSlicerMarkupsLogic(),
        }
        for name, logic in logics.items():
            logic.SetMRMLScene(self.scene)
            logic.SetMRMLApplicationLogic(self.application)
            self.application.SetModuleLogic(name.capitalize(), logic)
        slicer.mrmlScene = self.scene
        slicer.modules = SimpleNamespace(
            **{name: SimpleNamespace(logic=lambda logic=logic: logic) for name, logic in logics.items()}
        )

    def _read_archives(self, folder: Path) -> None:
        """What reading .mrb needs: a cache folder and its managers."""
        import slicer

        (folder / "cache").mkdir()
        self.remote = slicer.vtkMRMLRemoteIOLogic()
        self.remote.SetMRMLScene(self.scene)
        self.remote.SetMRMLApplicationLogic(self.application)
        self.remote.GetCacheManager().SetRemoteCacheDirectory(str(folder / "cache"))
        self.data_io = slicer.vtkDataIOManagerLogic()
        self.data_io.SetMRMLScene(self.scene)
        self.data_io.SetMRMLApplicationLogic(self.application)
        self.data_io.SetAndObserveDataIOManager(self.remote.GetDataIOManager())
        self.remote.AddDataIOToScene()


class Maker:
    """Makes nodes for tests."""

    def __init__(self, scene: Any, core: SlicerCore) -> None:
        self.scene = scene
        self.core = core

    def volume(self, array_kji: NDArray, ijk_to_ras: ArrayLike | None = None, parent: Any = None) -> Any:
        """A scalar volume node with the voxels, under a transform."""
        import slicer.util

        matrix = np.eye(4) if ijk_to_ras is None else np.asarray(ijk_to_ras)
        node = slicer.util.addVolumeFromArray(array_kji, ijkToRAS=matrix, name="PET")
        if parent is not None:
            node.SetAndObserveTransformNodeID(parent.GetID())
        return node

    def transform(self, matrix: ArrayLike, parent: Any = None) -> Any:
        """A linear transform node with a 4x4 matrix to its parent."""
        import slicer.util

        node = self.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.asarray(matrix)))
        if parent is not None:
            node.SetAndObserveTransformNodeID(parent.GetID())
        return node

    def warp(self) -> Any:
        """A transform node that is not linear."""
        import slicer
        import vtk

        spline = vtk.vtkThinPlateSplineTransform()
        corners = ((0, 0, 0), (9, 0, 0), (0, 9, 0), (0, 0, 9), (9, 9, 9))
        source, target = vtk.vtkPoints(), vtk.vtkPoints()
        for r, a, s in corners:
            source.InsertNextPoint(r, a, s)
            target.InsertNextPoint(r + 0.1 * a * s, a, s)
        spline.SetSourceLandmarks(source)
        spline.SetTargetLandmarks(target)
        spline.SetBasisToR()
        node = self.scene.AddNewNodeByClass("vtkMRMLTransformNode")
        node.SetAndObserveTransformToParent(spline)
        assert isinstance(node, slicer.vtkMRMLTransformNode)
        return node

    def editor(self) -> Any:
        """A segment editor with the settings of the module."""
        from SegAnyPETLib.mrml.editor import SegmentEditor, editor_node

        return SegmentEditor(self.scene, self.core.application, editor_node(self.scene))


@pytest.fixture(scope="session")
def slicer_core(tmp_path_factory: pytest.TempPathFactory) -> SlicerCore:
    return SlicerCore(tmp_path_factory.mktemp("slicer"))


@pytest.fixture
def vtk_errors() -> Iterator[list[str]]:
    """What VTK prints; the test fails where it holds something at the end."""
    import vtk

    printed: list[str] = []

    @vtk.calldata_type(vtk.VTK_STRING)
    def note(caller: Any, event: str, text: str) -> None:
        printed.append(text)

    window = vtk.vtkOutputWindow.GetInstance()
    tags = [window.AddObserver(event, note) for event in ("ErrorEvent", "WarningEvent")]
    yield printed
    for tag in tags:
        window.RemoveObserver(tag)
    assert not printed, "".join(printed)


@pytest.fixture
def scene(slicer_core: SlicerCore, vtk_errors: list[str]) -> Iterator[Any]:
    """Slicer's scene, empty."""
    slicer_core.scene.Clear(0)
    yield slicer_core.scene
    slicer_core.scene.Clear(0)


@pytest.fixture
def make(scene: Any, slicer_core: SlicerCore) -> Maker:
    return Maker(scene, slicer_core)
