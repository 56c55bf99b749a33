"""A mask cropped to its bounding box, with its place in the grid it was cut from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.volume import Volume


@dataclass(frozen=True, eq=False)
class MaskPatch:
    """Part of a mask on a volume's grid; every voxel outside the patch is unset.

    Attributes:
        array_kji: bool array (k, j, i).
        offset_kji: index of the patch's first voxel in the volume's grid.
    """

    array_kji: NDArray[np.bool_]
    offset_kji: tuple[int, int, int]

    @classmethod
    def empty(cls) -> MaskPatch:
        """Return a patch without a voxel."""
        return cls(np.zeros((0, 0, 0), dtype=bool), (0, 0, 0))

    @classmethod
    def cropped(cls, mask_kji: NDArray[np.bool_], offset_kji: tuple[int, int, int] = (0, 0, 0)) -> MaskPatch:
        """Return the smallest patch that holds a mask whose first voxel lies at ``offset_kji``."""
        box = Box.of_mask(mask_kji)
        if box is None:
            return cls.empty()
        k, j, i = (o + low for o, low in zip(offset_kji, box.low_kji, strict=True))
        return cls(mask_kji[box.slices].copy(), (k, j, i))

    @property
    def box(self) -> Box:
        """The patch's voxels in the volume's grid."""
        k, j, i = (o + n for o, n in zip(self.offset_kji, self.array_kji.shape, strict=True))
        return Box(self.offset_kji, (k, j, i))

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """Index of the patch in the volume's array."""
        return self.box.slices

    @property
    def voxels(self) -> int:
        """Number of voxels set."""
        return int(np.count_nonzero(self.array_kji))

    def holds(self, index_kji: tuple[int, int, int]) -> bool:
        """Return whether a voxel of the volume's grid is set."""
        if not self.box.contains(index_kji):
            return False
        return bool(self.array_kji[tuple(n - o for n, o in zip(index_kji, self.offset_kji, strict=True))])

    def within(self, box: Box) -> NDArray[np.bool_]:
        """Return the mask on a box of the volume's grid, which need not hold all of the patch."""
        mask = np.zeros(box.shape_kji, dtype=bool)
        common = self.box.meet(box)
        if not common.empty:
            mask[common.relative_to(box).slices] = self.array_kji[common.relative_to(self.box).slices]
        return mask

    def as_volume(self, volume: Volume) -> Volume:
        """Return the patch as a volume of its own, at its position in the grid of ``volume``."""
        matrix = volume.ijk_to_ras.copy()
        matrix[:3, 3] = volume.point_ras(self.offset_kji)
        return Volume(self.array_kji, matrix)

    def to_array(self, shape_kji: tuple[int, int, int]) -> NDArray[np.bool_]:
        """Return the mask on the whole grid, a bool array (k, j, i)."""
        full = np.zeros(shape_kji, dtype=bool)
        full[self.slices] = self.array_kji
        return full
