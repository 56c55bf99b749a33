"""The cube that a model sees: cut straight from a volume's grid, and pasted back onto it.

A window's axes are the volume's own axes, permuted and flipped to point as nearly as possible to right, anterior
and superior. So between window and volume each axis is resampled on its own: linear interpolation is separable, only
the voxels below the window are read, and at equal spacing both grids coincide, also for oblique volumes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.interpolation import Line, interpolate
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume, apply_matrix


@dataclass(frozen=True, eq=False)
class Window:
    """A cube of ``size`` voxels per side; its arrays are (k, j, i) = (superior, anterior, right), ascending.

    Attributes:
        size: voxels per side.
        ijk_to_ras: 4x4 matrix from voxel indices (i, j, k) to RAS mm.
    """

    size: int
    ijk_to_ras: NDArray

    @classmethod
    def around(cls, volume: Volume, center_ras: ArrayLike, size: int, spacing_mm: float) -> Window:
        """Build a window of isotropic spacing whose middle voxel lies on the volume's voxel nearest to a point.

        Args:
            volume: gives the axes and the grid to which the middle voxel is snapped.
            center_ras: point in RAS mm; it may lie outside the volume.
            size: voxels per side.
            spacing_mm: voxel size.
        """
        directions = canonical_directions(volume.ijk_to_ras)
        center = volume.point_ras(np.round(volume.index_kji(center_ras)))
        matrix = np.eye(4)
        matrix[:3, :3] = directions * spacing_mm
        matrix[:3, 3] = center - matrix[:3, :3] @ np.full(3, size // 2)
        return cls(size, matrix)

    @cached_property
    def ras_to_ijk(self) -> NDArray:
        """4x4 matrix from RAS mm to voxel indices (i, j, k)."""
        return np.linalg.inv(self.ijk_to_ras)

    @property
    def spacing_mm(self) -> float:
        """Voxel size in millimetres."""
        return float(np.linalg.norm(self.ijk_to_ras[:3, 0]))

    @property
    def center_ras(self) -> NDArray:
        """The middle voxel's centre in RAS mm."""
        return apply_matrix(self.ijk_to_ras, np.full(3, self.size // 2))

    def index_kji(self, point_ras: ArrayLike) -> NDArray:
        """Continuous window index (k, j, i) of points in RAS mm; works on (3,) and (N, 3)."""
        return apply_matrix(self.ras_to_ijk, point_ras)[..., ::-1]

    def contains(self, point_ras: ArrayLike, margin: float = 0.0) -> bool:
        """Return whether a point lies in the window, at least ``margin`` voxels away from its border."""
        index = self.index_kji(point_ras)
        return bool(((index >= margin - 0.5) & (index <= self.size - 0.5 - margin)).all())

    def sample(self, volume: Volume) -> NDArray[np.float32]:
        """Linear interpolation of a volume (or of a mask, which gives its occupancy) at the window's voxels.

        Agrees with ITK's linear resampling: zero outside the volume, constant over its outermost half voxel.

        Returns:
            float32 array (size, size, size), (k, j, i).
        """
        axes, scale, start = self._axes_in(volume)
        array = np.transpose(volume.array_kji, axes)
        lines = [Line.of(scale[a], start[a], self.size, array.shape[a]) for a in range(3)]
        return interpolate(array, lines)

    def paste(self, logits_kji: NDArray, volume: Volume, threshold: float = 0.0) -> MaskPatch:
        """Return the voxels of a volume's grid at which the linearly interpolated logits exceed a threshold.

        Args:
            logits_kji: array (size, size, size) on the window's grid.
            volume: the grid to paste on; its voxels are not read.
            threshold: logits above it are foreground.
        """
        box = Box.of_mask(logits_kji > threshold)
        if box is None:
            return MaskPatch.empty()
        axes, scale, start = self._axes_in(volume)
        shape = [volume.array_kji.shape[a] for a in axes]
        lines, offsets = [], []
        for a in range(3):
            # Foreground reaches no farther than the next voxels' centres, nor than the window's last half voxel.
            low, high = max(box.low_kji[a] - 1, -0.5), min(box.high_kji[a], self.size - 0.5)
            ends = sorted((start[a] + scale[a] * low, start[a] + scale[a] * high))
            first = max(int(np.ceil(ends[0] - 1e-6)), 0)
            last = min(int(np.floor(ends[1] + 1e-6)), shape[a] - 1)
            if last < first:
                return MaskPatch.empty()
            lines.append(Line.of(1.0 / scale[a], (first - start[a]) / scale[a], last - first + 1, self.size))
            offsets.append(first)
        mask = interpolate(logits_kji, lines) > threshold
        back = np.argsort(axes)
        k, j, i = (offsets[b] for b in back)
        return MaskPatch.cropped(np.transpose(mask, back), (k, j, i))

    def box_in(self, volume: Volume) -> Box:
        """Return the voxels of a volume's grid whose centres lie in the window; the box is empty if there are none."""
        corners = np.array([[-0.5] * 3, [self.size - 0.5] * 3])
        index = volume.index_kji(apply_matrix(self.ijk_to_ras, corners))
        low = np.maximum(np.ceil(index.min(0) + 1e-6), 0).astype(int)
        high = np.minimum(np.floor(index.max(0) - 1e-6) + 1, volume.shape_kji).astype(int)
        return Box(tuple(low), tuple(high))

    def _axes_in(self, volume: Volume) -> tuple[list[int], list[float], list[float]]:
        """For each window axis (k, j, i): the volume's array axis, its step and its start, in volume voxels.

        Raises:
            InputError: the window's axes are not those of the volume.
        """
        matrix = volume.ras_to_ijk @ self.ijk_to_ras
        step = matrix[:3, :3][::-1, ::-1]  # rows: volume axes (k, j, i); columns: window axes (k, j, i)
        origin = matrix[:3, 3][::-1]
        axes = [int(np.abs(step[:, a]).argmax()) for a in range(3)]
        scale = [float(step[axes[a], a]) for a in range(3)]
        off_axis = np.abs(step).sum() - np.abs(scale).sum()
        if sorted(axes) != [0, 1, 2] or off_axis * self.size > 0.05:
            raise InputError("the window was made for a volume with other axes")
        return axes, scale, [float(origin[a]) for a in axes]


def canonical_directions(ijk_to_ras: NDArray) -> NDArray:
    """Return a volume's axes, permuted and flipped to lie nearest to right, anterior and superior.

    Returns:
        3x3 matrix; its columns are the unit vectors of the canonical i, j and k axes in RAS.
    """
    directions = ijk_to_ras[:3, :3] / np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    order = max(permutations(range(3)), key=lambda p: sum(abs(directions[r, p[r]]) for r in range(3)))
    chosen = directions[:, list(order)]
    return chosen * np.where(np.diag(chosen) < 0, -1.0, 1.0)
