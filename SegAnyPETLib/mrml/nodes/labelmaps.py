"""Convert masks on a volume's grid to and from VTK's oriented images."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.mrml.nodes.frames import from_vtk, to_vtk
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import apply_matrix

#: First and last index along i, j and k, as VTK gives extents; the last is below the first if there is no voxel.
Extent = tuple[int, int, int, int, int, int]

#: Two grids are the same if their corners differ by at most this share of a voxel.
SAME_GRID = 1e-3


def image_of(mask: MaskPatch, matrix: NDArray, extent: Extent | None = None) -> Any:
    """Return a mask as a vtkOrientedImageData of 0 and 1.

    Args:
        mask: on the grid of a volume.
        matrix: 4x4, from the grid's voxel indices (i, j, k) to RAS mm.
        extent: of the image; it contains that of the mask, which is the default.
    """
    extent = extent or extent_of(mask)
    image = empty_image(matrix, extent)
    array = array_of(image)
    if mask.voxels:
        array[mask.box.relative_to(box_of(extent)).slices] = mask.array_kji
    return image


def empty_image(matrix: NDArray, extent: Extent) -> Any:
    """Return a vtkOrientedImageData of unsigned bytes, all 0."""
    image = slicer.vtkOrientedImageData()
    image.SetExtent(extent)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    image.SetImageToWorldMatrix(to_vtk(matrix))
    array_of(image)[...] = 0
    return image


def array_of(image: Any) -> NDArray:
    """Return a view of the scalars of an image, (k, j, i)."""
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def patch_of(image: Any, label: int = 1) -> MaskPatch:
    """Return the voxels with a label as a mask on the image's grid."""
    if is_empty(image):
        return MaskPatch.empty()
    i, _, j, _, k, _ = image.GetExtent()
    return MaskPatch.cropped(array_of(image) == label, (k, j, i))


def is_empty(image: Any) -> bool:
    """Return whether an image has no voxel."""
    return min(image.GetDimensions()) < 1 or image.GetPointData().GetScalars() is None


def extent_of(mask: MaskPatch) -> Extent:
    """Return the extent of a mask; one voxel at the origin if the mask is empty."""
    if not mask.voxels:
        return 0, 0, 0, 0, 0, 0
    k, j, i = mask.slices
    return i.start, i.stop - 1, j.start, j.stop - 1, k.start, k.stop - 1


def box_of(extent: Extent) -> Box:
    """Return the voxels of an extent."""
    i0, i1, j0, j1, k0, k1 = extent
    return Box((k0, j0, i0), (k1 + 1, j1 + 1, i1 + 1))


def union(first: Extent, second: Extent) -> Extent:
    """Return the smallest extent that contains both."""
    low = np.minimum(first[::2], second[::2])
    high = np.maximum(first[1::2], second[1::2])
    return int(low[0]), int(high[0]), int(low[1]), int(high[1]), int(low[2]), int(high[2])


def same_grid(first: NDArray, second: NDArray, extent: Extent) -> bool:
    """Return whether two 4x4 matrices put the voxels of an extent at the same positions."""
    corners = np.array(np.meshgrid(extent[:2], extent[2:4], extent[4:])).reshape(3, -1).T
    apart = np.abs(apply_matrix(np.linalg.inv(second) @ first, corners) - corners)
    return bool(apart.max() <= SAME_GRID)


def matrix_of(image: Any) -> NDArray[np.float64]:
    """Return the 4x4 matrix from voxel indices (i, j, k) of an image to RAS mm."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return from_vtk(matrix)


def resampled(image: Any, moved_by: NDArray, matrix: NDArray, bounds: Extent | None = None) -> Any:
    """Resample an image of 0 and 1 to another grid by nearest neighbour.

    Args:
        image: a vtkOrientedImageData.
        moved_by: 4x4, from the image's RAS frame to that of the new grid.
        matrix: 4x4, from voxel indices (i, j, k) of the new grid to RAS mm.
        bounds: of the new grid; unbounded by default. The result is no larger than what the image covers there.
    """
    extent = _covered(image, np.linalg.inv(matrix) @ moved_by @ matrix_of(image), bounds)
    reference, result = empty_image(matrix, extent), slicer.vtkOrientedImageData()
    transform = vtk.vtkTransform()
    transform.SetMatrix(to_vtk(moved_by))
    done = slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        image, reference, result, False, False, transform
    )
    if not done:
        raise SegAnyPETError("the segment could not be resampled to the grid of the PET; check its transforms")
    return result


def _covered(image: Any, to_index: NDArray, bounds: Extent | None) -> Extent:
    """Return the part of a grid that an image covers; one voxel if it covers nothing."""
    i0, i1, j0, j1, k0, k1 = image.GetExtent()
    ends = [(low - 0.5, high + 0.5) for low, high in ((i0, i1), (j0, j1), (k0, k1))]
    corners = apply_matrix(to_index, np.array(np.meshgrid(*ends)).reshape(3, -1).T)
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    if bounds is not None:
        low, high = (np.clip(end, bounds[::2], bounds[1::2]) for end in (low, high))
    return int(low[0]), int(high[0]), int(low[1]), int(high[1]), int(low[2]), int(high[2])
