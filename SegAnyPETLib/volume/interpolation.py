"""Separable linear interpolation: each axis of an array is resampled on its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Line:
    """Linear interpolation along one axis: two neighbours, the second one's weight, and what lies inside."""

    lower: NDArray[np.intp]
    upper: NDArray[np.intp]
    weight: NDArray[np.float32]
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, scale: float, start: float, count: int, length: int) -> Line:
        """Build the positions ``start + scale * n`` for n from 0 to count - 1, in voxels of a source of a length.

        The outermost half voxel of the source has the value of its outermost voxel; beyond it lies nothing.
        """
        position = start + scale * np.arange(count)
        # What lies exactly on the border of the source, but for rounding, is outside.
        inside = (position > -0.5 + 1e-6) & (position < length - 0.5 - 1e-6)
        position = np.clip(position, 0, length - 1)
        lower = np.floor(position).astype(np.intp)
        upper = np.minimum(lower + 1, length - 1)
        weight = (position - lower).astype(np.float32)
        # Rounding in the matrices must not blur a voxel that coincides with one of the source.
        weight[weight < 1e-5] = 0.0
        snap = weight > 1 - 1e-5
        lower[snap], weight[snap] = upper[snap], 0.0
        return cls(lower, upper, weight, inside)


def interpolate(array: NDArray, lines: list[Line]) -> NDArray[np.float32]:
    """Separable linear interpolation; positions that are not inside become zero."""
    starts = [int(line.lower.min()) for line in lines]
    stops = [int(line.upper.max()) + 1 for line in lines]
    result = np.asarray(array[tuple(slice(a, b) for a, b in zip(starts, stops, strict=True))], dtype=np.float32)
    # Axes that shrink most come first, so that the later ones have less to do.
    for axis in sorted(range(3), key=lambda a: len(lines[a].lower) / (stops[a] - starts[a])):
        line = lines[axis]
        weight = line.weight.reshape([-1 if a == axis else 1 for a in range(3)])
        lower = np.take(result, line.lower - starts[axis], axis)
        if line.weight.any():
            lower += (np.take(result, line.upper - starts[axis], axis) - lower) * weight
        result = lower
        if not line.inside.all():
            result[tuple(~line.inside if a == axis else slice(None) for a in range(3))] = 0.0
    return result


def refined(array: NDArray, factor: int) -> NDArray[np.float32]:
    """Interpolate an array on a grid that is finer by a whole factor and covers the same space.

    Constant over the outermost half voxel; `torch.nn.functional.interpolate` computes the same with
    ``align_corners=False``.
    """
    return interpolate(array, [Line.of(1 / factor, 0.5 / factor - 0.5, n * factor, n) for n in array.shape])
