"""The grid of a volume node, which may come back turned when its file is loaded again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.volumes import ijk_to_ras
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import apply_matrix, check_orthogonal

#: Grids whose corners lie closer than this share of a voxel are the same: numbers in file headers are rounded.
TOLERANCE = 0.01


@dataclass(frozen=True)
class Grid:
    """Size and place of a volume's voxels.

    Attributes:
        shape_kji: number of voxels along k, j and i.
        ijk_to_ras: rows of the 4x4 matrix from voxel indices (i, j, k) to RAS mm.

    Raises:
        InputError: there is no voxel, or the matrix is singular, sheared or not finite.
    """

    shape_kji: tuple[int, int, int]
    ijk_to_ras: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if len(self.shape_kji) != 3 or min(self.shape_kji) < 1:
            raise InputError("a grid has at least one voxel along each of three axes")
        matrix = np.array(self.ijk_to_ras, dtype=float)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise InputError("a grid's IJK-to-RAS matrix is 4x4 and finite")
        check_orthogonal(matrix)

    @classmethod
    def of_node(cls, volume_node: Any) -> Grid:
        """The grid of a vtkMRMLScalarVolumeNode, in the node's own RAS frame."""
        i, j, k = volume_node.GetImageData().GetDimensions()
        return cls((k, j, i), tuple(map(tuple, ijk_to_ras(volume_node).tolist())))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The 4x4 matrix."""
        return np.array(self.ijk_to_ras)

    @property
    def left_handed(self) -> bool:
        """Whether the axes are those of a mirror image; Slicer loads such files with the slices the other way round."""
        return bool(np.linalg.det(self.matrix[:3, :3]) < 0)

    def right_handed(self, mask: MaskPatch) -> MaskPatch:
        """A mask as it is when the grid is right-handed, the order of slices reversed where it is not."""
        return _reversed(mask, self.shape_kji[0]) if self.left_handed else mask

    def to(self, other: Grid, mask: MaskPatch) -> MaskPatch:
        """A mask of this grid on another one, which has the same voxels.

        Raises:
            InputError: the other grid has other voxels.
        """
        self.check_same(other)
        return mask if self.left_handed == other.left_handed else _reversed(mask, self.shape_kji[0])

    def check_same(self, other: Grid) -> None:
        """Refuse a grid that has not the same voxels, in this order of slices or the reverse.

        Raises:
            InputError: it has others.
        """
        if self.shape_kji != other.shape_kji or self._apart(other) > TOLERANCE:
            raise InputError("the clicks were made in another image; choose the PET in which the segment was made")

    def _apart(self, other: Grid) -> float:
        """The largest distance of corresponding corners, in voxels."""
        slices = self.shape_kji[0]
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape_kji[::-1]])).reshape(3, -1).T
        theirs = corners.copy()
        if self.left_handed != other.left_handed:
            theirs[:, 2] = slices - 1 - theirs[:, 2]
        found = apply_matrix(np.linalg.inv(self.matrix) @ other.matrix, theirs)
        return float(np.abs(found - corners).max())


def _reversed(mask: MaskPatch, slices: int) -> MaskPatch:
    k, j, i = mask.offset_kji
    return MaskPatch(mask.array_kji[::-1], (slices - k - mask.array_kji.shape[0], j, i))
