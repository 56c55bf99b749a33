"""Slicer's real scene and logics without its application, once per process; each test gets the scene empty.

What the wheel slicer-core lacks and slicer.util expects (slicer.mrmlScene, slicer.modules) is put in place here.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from Testing.slicer_harness.fixtures import *  # noqa: F403


class Maker:
    """Makes nodes for tests."""

    def __init__(self, scene: Any, application_logic: Any) -> None:
        self.scene = scene
        self.application_logic = application_logic

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

        return SegmentEditor(self.scene, self.application_logic, editor_node(self.scene))


@pytest.fixture
def scene(vtk_messages: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Slicer's scene, empty."""
    import slicer

    from Testing.slicer_harness.core import slicer_core

    core = slicer_core()
    core.start_again()
    monkeypatch.setattr(slicer, "mrmlScene", core.scene, raising=False)
    modules = SimpleNamespace(
        **{name: SimpleNamespace(logic=lambda logic=logic: logic) for name, logic in core.logics.items()}
    )
    monkeypatch.setattr(slicer, "modules", modules, raising=False)
    yield core.scene
    core.start_again()


@pytest.fixture
def make(scene: Any) -> Maker:
    from Testing.slicer_harness.core import slicer_core

    return Maker(scene, slicer_core().application_logic)
