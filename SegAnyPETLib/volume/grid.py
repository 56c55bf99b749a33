"""The grid of a volume without its voxels, comparable with that of the same image loaded by another program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume, apply_matrix, check_orthogonal

#: Grids are the same if their corners lie closer than this share of a voxel: numbers in file headers are rounded.
TOLERANCE = 0.01


@dataclass(frozen=True)
class Grid:
    """Number, size and position of a volume's voxels.

    Slicer loads an image with left-handed axes with its slices reversed, so two grids of the same image may differ in
    the order of slices; `check_same` and `to` allow for that.

    Attributes:
        shape_kji: number of voxels along k, j and i.
        ijk_to_ras: rows of the 4x4 matrix from voxel indices (i, j, k) to RAS mm.

    Raises:
        InputError: the grid has no voxel, or the matrix is singular, sheared or not finite.
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
    def of(cls, volume: Volume) -> Grid:
        """Return the grid of a volume."""
        return cls(volume.shape_kji, tuple(map(tuple, volume.ijk_to_ras.tolist())))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """4x4 matrix from voxel indices (i, j, k) to RAS mm."""
        return np.array(self.ijk_to_ras)

    @property
    def left_handed(self) -> bool:
        """Return whether the axes are those of a mirror image."""
        return bool(np.linalg.det(self.matrix[:3, :3]) < 0)

    def right_handed(self, mask: MaskPatch) -> MaskPatch:
        """Return a mask of this grid with its slices reversed if the grid is left-handed, else as it is."""
        return _reversed(mask, self.shape_kji[0]) if self.left_handed else mask

    def to(self, other: Grid, mask: MaskPatch) -> MaskPatch:
        """Return a mask of this grid on another grid of the same voxels.

        Raises:
            InputError: the other grid has other voxels.
        """
        self.check_same(other)
        return mask if self.left_handed == other.left_handed else _reversed(mask, self.shape_kji[0])

    def check_same(self, other: Grid) -> None:
        """Refuse a grid that does not have the same voxels, in this order of slices or the reverse.

        Raises:
            InputError: the voxels differ.
        """
        if self.shape_kji != other.shape_kji or self._apart(other) > TOLERANCE:
            raise InputError("the clicks were made in another image; choose the PET in which the segment was made")

    def _apart(self, other: Grid) -> float:
        """Return the largest distance of corresponding corners, in voxels."""
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
