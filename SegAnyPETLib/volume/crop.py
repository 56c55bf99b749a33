"""A box of a cubic grid, for arrays that are the same nearly everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.patch import bounding_box


@dataclass(frozen=True, eq=False)
class Crop:
    """A box of a cube.

    Attributes:
        size: voxels per side of the cube.
        corner_kji: index of the box's first voxel in the cube.
        values_kji: its voxels.

    Raises:
        InputError: the box does not lie in the cube.
    """

    size: int
    corner_kji: tuple[int, int, int]
    values_kji: NDArray

    def __post_init__(self) -> None:
        ends = [c + n for c, n in zip(self.corner_kji, self.values_kji.shape, strict=True)]
        if min(self.corner_kji) < 0 or max(ends) > self.size:
            raise InputError("a box reaches beyond its cube")

    @classmethod
    def whole(cls, array_kji: NDArray) -> Crop:
        """A cube as it is."""
        return cls(len(array_kji), (0, 0, 0), array_kji)

    @classmethod
    def around(cls, array_kji: NDArray, chosen_kji: NDArray[np.bool_], margin: int = 0) -> Crop:
        """The part of a cube that holds the chosen voxels, and a margin of voxels beside them; empty without any."""
        box = bounding_box(chosen_kji)
        if box is None:
            return cls(len(array_kji), (0, 0, 0), array_kji[:0, :0, :0])
        k, j, i = (slice(max(s.start - margin, 0), min(s.stop + margin, len(array_kji))) for s in box)
        return cls(len(array_kji), (k.start, j.start, i.start), array_kji[k, j, i])

    def filled(self, beyond: float) -> NDArray:
        """The cube, with one value beyond the box."""
        cube = np.full((self.size,) * 3, beyond, dtype=self.values_kji.dtype)
        cube[self.slices] = self.values_kji
        return cube

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """Where the box lies in the cube."""
        k, j, i = (slice(c, c + n) for c, n in zip(self.corner_kji, self.values_kji.shape, strict=True))
        return k, j, i
