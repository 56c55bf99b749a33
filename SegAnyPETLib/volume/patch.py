"""A mask cropped to its bounding box, with its place in the grid it was cut from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        """A patch without a voxel."""
        return cls(np.zeros((0, 0, 0), dtype=bool), (0, 0, 0))

    @classmethod
    def cropped(cls, mask_kji: NDArray[np.bool_], offset_kji: tuple[int, int, int] = (0, 0, 0)) -> MaskPatch:
        """The smallest patch that holds a mask whose first voxel lies at ``offset_kji``."""
        box = bounding_box(mask_kji)
        if box is None:
            return cls.empty()
        starts = [o + s.start for o, s in zip(offset_kji, box, strict=True)]
        return cls(mask_kji[box].copy(), (starts[0], starts[1], starts[2]))

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """Where the patch lies in the volume's array."""
        k, j, i = (slice(o, o + n) for o, n in zip(self.offset_kji, self.array_kji.shape, strict=True))
        return k, j, i

    @property
    def voxels(self) -> int:
        """Number of voxels set."""
        return int(np.count_nonzero(self.array_kji))

    def within(self, box: tuple[slice, slice, slice]) -> NDArray[np.bool_]:
        """The mask on a box of the volume's grid that holds the patch."""
        mask = np.zeros([b.stop - b.start for b in box], dtype=bool)
        if self.voxels:
            inside = tuple(slice(s.start - b.start, s.stop - b.start) for s, b in zip(self.slices, box, strict=True))
            mask[inside] = self.array_kji
        return mask

    def as_volume(self, volume: Volume) -> Volume:
        """The patch as a volume of its own, in its place in the grid of ``volume``."""
        matrix = volume.ijk_to_ras.copy()
        matrix[:3, 3] = volume.point_ras(self.offset_kji)
        return Volume(self.array_kji, matrix)

    def to_array(self, shape_kji: tuple[int, int, int]) -> NDArray[np.bool_]:
        """The mask on the whole grid."""
        full = np.zeros(shape_kji, dtype=bool)
        full[self.slices] = self.array_kji
        return full


def whole_grid(shape_kji: tuple[int, int, int]) -> tuple[slice, slice, slice]:
    """The box that is the whole grid."""
    k, j, i = (slice(0, n) for n in shape_kji)
    return k, j, i


def bounding_box(mask_kji: NDArray) -> tuple[slice, slice, slice] | None:
    """Slices of the smallest box that holds all non-zero voxels, or None where there is none."""
    slices = []
    box: NDArray = mask_kji
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        hit = np.flatnonzero(box.any(axis=others))
        if hit.size == 0:
            return None
        slices.append(slice(int(hit[0]), int(hit[-1]) + 1))
        # Later axes need only look inside what is left.
        box = box[tuple(slices[axis] if a == axis else slice(None) for a in range(3))]
    return slices[0], slices[1], slices[2]
