"""Convert scalar volume nodes to volumes of the library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.nodes.frames import from_vtk, world_to
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.io import check_voxel_size
from SegAnyPETLib.volume.units import BQML_UNITS, SUV_UNITS, Units
from SegAnyPETLib.volume.volume import Volume

#: The library's names of units by UCUM code, as Slicer's DICOM loaders set it.
UNITS: dict[str, Units] = {"{SUVbw}g/ml": SUV_UNITS, "Bq/ml": BQML_UNITS}
#: What other kinds of SUV are related to, by UCUM code.
OTHER_SUV = {
    "{SUVlbm}g/ml": "lean body mass",
    "{SUVlbm(James128)}g/ml": "lean body mass by James",
    "{SUVlbm(Janma)}g/ml": "lean body mass by Janmahasatian",
    "{SUVbsa}cm2/ml": "body surface area",
    "{SUVibw}g/ml": "ideal body weight",
}


@dataclass(frozen=True, eq=False)
class _Kept:
    """A volume and the modified time of its image."""

    volume: Volume
    modified: int


class VolumeCache:
    """The volumes of a scene's nodes, converted again only if an image, its geometry or its units have changed.

    VTK counts modified times over all objects, so that no two images share one.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def volume_of(self, node: Any) -> Volume:
        """Return the volume of a node; the same object while image, geometry and units are the same.

        Args:
            node: a vtkMRMLScalarVolumeNode in a scene.

        Returns:
            A volume in the node's own RAS frame, with `SUV_UNITS` if the node has them. float32 voxels are a read-only
            view of the node's; others are converted.

        Raises:
            InputError: the node holds no scalar 3-D image with perpendicular axes, or lies under a warping transform.
        """
        _check(node)
        image = node.GetImageData()
        matrix = ijk_to_ras(node)
        units = units_of(node)
        kept = self._kept.get(node.GetID())
        if kept is None or kept.modified != image.GetMTime():
            kept = _Kept(Volume(_voxels(image), matrix, units), image.GetMTime())
        elif not np.array_equal(kept.volume.ijk_to_ras, matrix) or kept.volume.units != units:
            kept = _Kept(Volume(kept.volume.array_kji, matrix, units), kept.modified)
        check_voxel_size(kept.volume, "volume")
        self._kept[node.GetID()] = kept
        return kept.volume

    def forget_node(self, node_id: str) -> Volume | None:
        """Drop the volume of a node that left the scene; return it if there was one."""
        kept = self._kept.pop(node_id, None)
        return None if kept is None else kept.volume

    def forget(self) -> None:
        """Drop all volumes, when the scene closes."""
        self._kept.clear()


def ijk_to_ras(node: Any) -> NDArray[np.float64]:
    """Return the 4x4 matrix from voxel indices (i, j, k) to the node's RAS mm, without the transforms above it."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return from_vtk(matrix)


def grid_of(node: Any) -> Grid:
    """Return the grid of a volume node, in the node's own RAS frame."""
    i, j, k = node.GetImageData().GetDimensions()
    return Grid((k, j, i), tuple(map(tuple, ijk_to_ras(node).tolist())))


def units_of(node: Any) -> Units:
    """Return the units of a volume node's values: ``"SUVbw"``, ``"Bq/ml"``, or ``""`` for anything else."""
    entry = node.GetVoxelValueUnits()
    return "" if entry is None else UNITS.get(entry.GetCodeValue(), "")


def other_suv_of(node: Any) -> str | None:
    """Return what the SUV of a volume node is related to if that is not the body weight; None if it is no such SUV."""
    entry = node.GetVoxelValueUnits()
    return None if entry is None else OTHER_SUV.get(entry.GetCodeValue())


def first_suv_volume(scene: Any) -> Any | None:
    """Return the first volume node of a scene whose values are SUV, or None."""
    nodes = (scene.GetNthNodeByClass(n, "vtkMRMLScalarVolumeNode") for n in range(scene.GetNumberOfNodes()))
    volumes = (node for node in nodes if node is not None and not node.IsA("vtkMRMLLabelMapVolumeNode"))
    return next((node for node in volumes if units_of(node) == SUV_UNITS), None)


def _check(node: Any) -> None:
    """Refuse a node without a scalar 3-D image, or below a transform that is not linear."""
    image = node.GetImageData()
    if image is None or image.GetPointData().GetScalars() is None:
        raise InputError("the volume holds no image; load the PET again")
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        raise InputError("this is a label map; choose the PET image")
    if image.GetNumberOfScalarComponents() != 1:
        raise InputError("the volume holds several values per voxel; choose a single time frame or channel of it")
    if min(image.GetDimensions()) < 2:
        raise InputError("the volume is a 2-D image; choose a 3-D image")
    world_to(node)


def _voxels(image: vtk.vtkImageData) -> NDArray[np.float32]:
    """Return the scalars of an image as a read-only float32 array (k, j, i)."""
    array = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    array = array.astype(np.float32, copy=False).view()
    array.setflags(write=False)
    return array
