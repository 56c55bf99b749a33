"""A scalar volume that carries its geometry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.units import Units

#: Largest deviation of the direction cosines from an orthonormal set that rounding in file headers explains.
ORTHONORMAL_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels on a regular grid in patient space.

    Attributes:
        array_kji: 3-D array, slowest axis first (k, j, i): float32 for images, bool or integers for labels.
        ijk_to_ras: 4x4 matrix from voxel indices (i, j, k) to RAS millimetres at voxel centres.
        units: what the values mean, ``"SUVbw"`` (g/ml), ``"Bq/ml"`` or ``""`` if it is not known.

    Raises:
        InputError: the array is not 3-D or is empty, or the matrix is singular, sheared or not finite.
    """

    array_kji: NDArray
    ijk_to_ras: NDArray
    units: Units = ""

    def __post_init__(self) -> None:
        if self.array_kji.ndim != 3:
            raise InputError(f"a 3-D volume is needed, this image has {self.array_kji.ndim} dimensions")
        if min(self.array_kji.shape) < 1:
            raise InputError("the volume has no voxels")
        matrix = np.array(self.ijk_to_ras, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise InputError("the volume's IJK-to-RAS matrix must be 4x4 and finite")
        check_orthogonal(matrix)
        matrix.setflags(write=False)
        object.__setattr__(self, "ijk_to_ras", matrix)

    @property
    def shape_kji(self) -> tuple[int, int, int]:
        """Number of voxels along k, j and i."""
        k, j, i = self.array_kji.shape
        return k, j, i

    @cached_property
    def spacing_mm(self) -> NDArray:
        """Voxel size along i, j and k in millimetres."""
        return np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in millilitres."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    @cached_property
    def ras_to_ijk(self) -> NDArray:
        """4x4 matrix from RAS millimetres to voxel indices (i, j, k)."""
        return np.linalg.inv(self.ijk_to_ras)

    def index_kji(self, point_ras: ArrayLike) -> NDArray:
        """Continuous index (k, j, i) of points in RAS mm; works on (3,) and (N, 3)."""
        return apply_matrix(self.ras_to_ijk, point_ras)[..., ::-1]

    def point_ras(self, index_kji: ArrayLike) -> NDArray:
        """RAS mm of continuous indices (k, j, i); works on (3,) and (N, 3)."""
        return apply_matrix(self.ijk_to_ras, np.asarray(index_kji, dtype=np.float64)[..., ::-1])

    def nearest_kji(self, point_ras: ArrayLike) -> tuple[int, int, int]:
        """Index (k, j, i) of the voxel that holds a point in RAS mm.

        Raises:
            InputError: the point is not finite or lies outside the volume.
        """
        index = self.index_kji(point_ras)
        shape = np.array(self.shape_kji)
        if not (np.isfinite(index).all() and (index >= -0.5).all() and (index < shape - 0.5).all()):
            where = ", ".join(f"{c:g}" for c in np.asarray(point_ras, dtype=float))
            raise InputError(f"the point R,A,S = {where} mm lies outside the volume; check the coordinates")
        k, j, i = np.clip(np.floor(index + 0.5), 0, shape - 1).astype(int)
        return int(k), int(j), int(i)

    def with_array(self, array_kji: NDArray, units: Units = "") -> Volume:
        """Return the same grid with other voxels.

        Args:
            array_kji: the voxels.
            units: of the new voxels; those of the old ones are not carried over.

        Raises:
            InputError: the array has another shape.
        """
        if array_kji.shape != self.array_kji.shape:
            raise InputError(f"an array of shape {array_kji.shape} does not fit the grid {self.array_kji.shape}")
        return replace(self, array_kji=array_kji, units=units)

    def same_grid(self, other: Volume, tolerance_mm: float = 1e-2) -> bool:
        """Return whether both grids have the same voxels: equal shape and corners within ``tolerance_mm``."""
        if self.shape_kji != other.shape_kji:
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape_kji])).reshape(3, -1).T
        return bool(np.abs(self.point_ras(corners) - other.point_ras(corners)).max() <= tolerance_mm)


def apply_matrix(matrix: NDArray, points: ArrayLike) -> NDArray:
    """Transform points (..., 3) by a 4x4 matrix."""
    points = np.asarray(points, dtype=np.float64)
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def check_orthogonal(ijk_to_ras: NDArray) -> None:
    """Refuse a matrix whose axes are not perpendicular, as Slicer does.

    Raises:
        InputError: an axis has no length, or two axes are sheared.
    """
    axes = ijk_to_ras[:3, :3]
    lengths = np.linalg.norm(axes, axis=0)
    if not (lengths > 0).all():
        raise InputError("the volume's matrix has an axis without length; export the image again")
    directions = axes / lengths
    if np.abs(directions.T @ directions - np.eye(3)).max() > ORTHONORMAL_TOLERANCE:
        raise InputError("the volume's axes are sheared; resample it to a grid with perpendicular axes")
