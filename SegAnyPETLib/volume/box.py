"""Boxes of a grid's voxels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Box:
    """Voxels from ``low_kji`` up to, but not including, ``high_kji``; empty if they meet along an axis.

    Attributes:
        low_kji: index of the first voxel along k, j and i; it may lie outside a grid, see `clipped`.
        high_kji: index behind the last voxel; raised to ``low_kji`` if it is given lower.
    """

    low_kji: tuple[int, int, int]
    high_kji: tuple[int, int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "low_kji", _three(self.low_kji))
        high = (max(low, int(high)) for low, high in zip(self.low_kji, self.high_kji, strict=True))
        object.__setattr__(self, "high_kji", _three(high))

    @classmethod
    def whole(cls, shape_kji: Sequence[int]) -> Box:
        """Return the box that is a whole grid."""
        return cls((0, 0, 0), _three(shape_kji))

    @classmethod
    def of_mask(cls, mask_kji: NDArray) -> Box | None:
        """Return the smallest box that holds all non-zero voxels of an array, None if there is none."""
        sides = []
        rest: NDArray = mask_kji
        for axis in range(3):
            hit = np.flatnonzero(rest.any(axis=tuple(a for a in range(3) if a != axis)))
            if hit.size == 0:
                return None
            sides.append((int(hit[0]), int(hit[-1]) + 1))
            # Later axes need only look inside what is left.
            rest = rest[tuple(slice(*sides[axis]) if a == axis else slice(None) for a in range(3))]
        low, high = zip(*sides, strict=True)
        return cls(_three(low), _three(high))

    @classmethod
    def around(cls, center_kji: Sequence[int] | NDArray, reach_kji: Sequence[int] | NDArray) -> Box:
        """Return the box that reaches a number of voxels beyond a voxel to either side."""
        return cls(_three(center_kji), _three(c + 1 for c in center_kji)).grown(reach_kji)

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """Index of the box in an array (k, j, i); the box must not begin before the array."""
        k, j, i = map(slice, self.low_kji, self.high_kji)
        return k, j, i

    @property
    def shape_kji(self) -> tuple[int, int, int]:
        """Number of voxels along k, j and i."""
        return _three(high - low for low, high in zip(self.low_kji, self.high_kji, strict=True))

    @property
    def empty(self) -> bool:
        """Return whether the box holds no voxel."""
        return 0 in self.shape_kji

    def meet(self, other: Box) -> Box:
        """Return what lies in both boxes."""
        return Box(
            _three(map(max, self.low_kji, other.low_kji)),
            _three(map(min, self.high_kji, other.high_kji)),
        )

    def join(self, other: Box) -> Box:
        """Return the smallest box that holds both boxes."""
        return Box(
            _three(map(min, self.low_kji, other.low_kji)),
            _three(map(max, self.high_kji, other.high_kji)),
        )

    def grown(self, margin_kji: int | Sequence[int] | NDArray) -> Box:
        """Return the box with a margin of voxels on either side: one number, or one for each axis."""
        k, j, i = np.broadcast_to(margin_kji, 3)
        return Box(
            _three(low - m for low, m in zip(self.low_kji, (k, j, i), strict=True)),
            _three(high + m for high, m in zip(self.high_kji, (k, j, i), strict=True)),
        )

    def clipped(self, shape_kji: Sequence[int]) -> Box:
        """Return what lies in a grid."""
        return self.meet(Box.whole(shape_kji))

    def relative_to(self, outer: Box) -> Box:
        """Return the box in indices of another box, whose first voxel becomes (0, 0, 0)."""
        return Box(
            _three(low - origin for low, origin in zip(self.low_kji, outer.low_kji, strict=True)),
            _three(high - origin for high, origin in zip(self.high_kji, outer.low_kji, strict=True)),
        )

    def encloses(self, inner: Box) -> bool:
        """Return whether all of another box lies in this one."""
        lows, highs = (self.low_kji, inner.low_kji), (inner.high_kji, self.high_kji)
        return all(a <= b for ends in (lows, highs) for a, b in zip(*ends, strict=True))

    def contains(self, index_kji: ArrayLike) -> NDArray[np.bool_]:
        """Return whether voxels lie in the box.

        Args:
            index_kji: indices (k, j, i), array (3,) or (n, 3).

        Returns:
            Bool array () or (n,).
        """
        index = np.asarray(index_kji)
        return np.all((index >= self.low_kji) & (index < self.high_kji), axis=-1)


def _three(numbers: Iterable[int]) -> tuple[int, int, int]:
    k, j, i = (int(n) for n in numbers)
    return k, j, i
