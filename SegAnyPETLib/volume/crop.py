"""A box of a cubic grid, for arrays that are the same nearly everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.box import Box


@dataclass(frozen=True, eq=False)
class Crop:
    """A box of a cube.

    Attributes:
        size: voxels per side of the cube.
        offset_kji: index of the box's first voxel in the cube.
        array_kji: its voxels.

    Raises:
        InputError: the box does not lie in the cube.
    """

    size: int
    offset_kji: tuple[int, int, int]
    array_kji: NDArray

    def __post_init__(self) -> None:
        if not Box.whole((self.size,) * 3).encloses(self.box):
            raise InputError("a box reaches beyond its cube")

    @classmethod
    def whole(cls, array_kji: NDArray) -> Crop:
        """Return a whole cube as a crop."""
        return cls(len(array_kji), (0, 0, 0), array_kji)

    @classmethod
    def around(cls, array_kji: NDArray, chosen_kji: NDArray[np.bool_], margin: int = 0) -> Crop:
        """Return the part of a cube that holds the chosen voxels and a margin of voxels; empty if none is chosen."""
        box = Box.of_mask(chosen_kji)
        if box is None:
            return cls(len(array_kji), (0, 0, 0), array_kji[:0, :0, :0])
        box = box.grown(margin).clipped(array_kji.shape)
        return cls(len(array_kji), box.low_kji, array_kji[box.slices])

    def filled(self, beyond: float) -> NDArray:
        """Return the cube, with one value outside the box."""
        cube = np.full((self.size,) * 3, beyond, dtype=self.array_kji.dtype)
        cube[self.box.slices] = self.array_kji
        return cube

    @property
    def box(self) -> Box:
        """The voxels in the cube."""
        k, j, i = (c + n for c, n in zip(self.offset_kji, self.array_kji.shape, strict=True))
        return Box(self.offset_kji, (k, j, i))
