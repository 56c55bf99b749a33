"""The voxel that is asked about is the voxel that was clicked, whatever the volume and the transforms above it."""

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

import vtk

from SegAnyPETLib.mrml.nodes.frames import from_vtk
from SegAnyPETLib.mrml.nodes.points import points_of
from SegAnyPETLib.mrml.nodes.terminology import LESION
from SegAnyPETLib.mrml.nodes.volumes import VolumeCache
from SegAnyPETLib.mrml.segmentations import add_segment, new_segmentation
from SegAnyPETLib.mrml.segments import read_mask, replace_mask
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.patch import MaskPatch
from Testing.session.hot_backend import HotBackend


def rotation(rng: np.random.Generator) -> np.ndarray:
    """Any three perpendicular directions, of both handednesses; every third time those of the axes in some order."""
    if rng.random() < 1 / 3:
        return np.eye(3)[rng.permutation(3)] * rng.choice([-1.0, 1.0], size=3)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * rng.choice([-1.0, 1.0], size=3)


def geometry(rng: np.random.Generator) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(rng) * rng.uniform(0.5, 6.0, size=3)
    matrix[:3, 3] = rng.uniform(-300, 300, size=3)
    return matrix


def parent(rng: np.random.Generator, make):
    """No transform, a rigid one, or a chain of a rigid and an affine one with shear and scale."""
    kind = rng.integers(3)
    if kind == 0:
        return None
    rigid = np.eye(4)
    rigid[:3, :3] = rotation(rng)
    rigid[:3, 3] = rng.uniform(-100, 100, size=3)
    if kind == 1:
        return make.transform(rigid)
    affine = np.eye(4)
    affine[:3, :3] += rng.uniform(-0.2, 0.2, size=(3, 3))
    affine[:3, 3] = rng.uniform(-20, 20, size=3)
    return make.transform(affine, parent=make.transform(rigid))


def world_of_voxel(node, ijk: np.ndarray) -> np.ndarray:
    """Where VTK's own transforms put a (fractional) voxel index of a volume in the world."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    ras = matrix.MultiplyPoint((*ijk, 1.0))[:3]
    to_world = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(node.GetParentTransformNode(), None, to_world)
    return np.array(to_world.TransformPoint(ras))


def voxel_at(node, world: np.ndarray) -> tuple[int, int, int]:
    """The voxel (i, j, k) that VTK's own transforms find at a place in the world."""
    to_volume = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(None, node.GetParentTransformNode(), to_volume)
    matrix = vtk.vtkMatrix4x4()
    node.GetRASToIJKMatrix(matrix)
    i, j, k = matrix.MultiplyPoint((*to_volume.TransformPoint(world), 1.0))[:3]
    return vtk.vtkMath.Round(i), vtk.vtkMath.Round(j), vtk.vtkMath.Round(k)


def labelled_voxel_in_world(segmentation, segment_id: str) -> tuple[np.ndarray, np.ndarray]:
    """Where the only voxel of a segment lies in the world, and the matrix of its grid to the world."""
    image = slicer.vtkOrientedImageData()
    slicer.vtkSlicerSegmentationsModuleLogic.GetSegmentBinaryLabelmapRepresentation(
        segmentation, segment_id, image, False
    )
    i0, i1, j0, j1, k0, k1 = image.GetExtent()
    assert (i1 - i0, j1 - j0, k1 - k0) == (0, 0, 0)
    assert image.GetScalarComponentAsDouble(i0, j0, k0, 0) == 1
    to_world = vtk.vtkMatrix4x4()
    if segmentation.GetParentTransformNode() is not None:
        segmentation.GetParentTransformNode().GetMatrixTransformToWorld(to_world)
    grid = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(grid)
    vtk.vtkMatrix4x4.Multiply4x4(to_world, grid, grid)
    return np.array(grid.MultiplyPoint((i0, j0, k0, 1))[:3]), from_vtk(grid)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_a_click_names_the_voxel_under_it_and_its_mask_lies_there(make, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = rng.integers(2, 9, size=3)
    node = make.volume(rng.random(shape).astype(np.float32), geometry(rng), parent(rng, make))
    voxel = np.array([rng.integers(n) for n in shape[::-1]])
    click = world_of_voxel(node, voxel + rng.uniform(-0.49, 0.49, size=3))
    markups = make.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    above = parent(rng, make)
    markups.SetAndObserveTransformNodeID(None if above is None else above.GetID())
    markups.AddControlPointWorld(vtk.vtkVector3d(*click))

    volume = VolumeCache().volume_of(node)
    (point,) = points_of(markups, node).values()
    k, j, i = volume.nearest_kji(point.ras)
    assert (i, j, k) == voxel_at(node, click) == tuple(voxel)
    assert volume.array_kji[k, j, i] == np.float32(node.GetImageData().GetScalarComponentAsDouble(i, j, k, 0))

    backend = HotBackend(size=8, spacing_mm=(2.0,))
    InteractiveSession(volume, backend).add_point(point)
    image, target = backend.asked[0]
    assert image.array_kji[4, 4, 4] == pytest.approx(volume.array_kji[k, j, i], rel=1e-3)
    off_center_mm = np.linalg.norm((target.points_kji[0] - 4) * image.spacing_mm)
    assert off_center_mm == pytest.approx(np.linalg.norm(point.ras - volume.point_ras((k, j, i))), abs=1e-3)

    segmentation = new_segmentation(make.scene, node)
    segment_id = add_segment(segmentation, LESION)
    one = MaskPatch(np.ones((1, 1, 1), bool), (k, j, i))
    replace_mask(make.editor(), segmentation, segment_id, one, node)
    written, grid = labelled_voxel_in_world(segmentation, segment_id)
    away = np.linalg.solve(grid[:3, :3], click - written)  # in voxels, along the axes of the segment's grid
    assert np.abs(away).max() < 0.5
    read = read_mask(segmentation, segment_id, node)
    assert read.offset_kji == (k, j, i)
    assert read.array_kji.tolist() == [[[True]]]
