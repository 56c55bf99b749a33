"""Filling closed contours: the voxels whose centres lie in them.

Contours lie in parallel planes, of whatever direction. A plane stands for what is nearer to it than to others, at most
half the usual distance of planes away; contours in one plane cut holes into each other (even-odd), and so do contours
that run back along themselves (keyholes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.volume import Volume

#: How far points of a contour may lie from its plane, mm.
FLATNESS_MM = 0.5
#: Contours whose planes lie closer are in the same plane, mm.
SAME_PLANE_MM = 0.05
#: Planes farther apart than this share of the usual distance have a gap between them.
GAP = 1.5
#: Decimals of positions in mm that rounding of coordinates leaves; so all centres on a contour are decided alike.
DECIMALS = 4


@dataclass(frozen=True, eq=False)
class _Plane:
    """Contours in one plane.

    Attributes:
        place_mm: along the normal.
        contours_uv: corners (N, 2) of each, mm in the plane.
    """

    place_mm: float
    contours_uv: Sequence[NDArray[np.float64]]


def filled(contours_ras: Sequence[NDArray[np.float64]], image: Volume, name: str) -> NDArray[np.bool_]:
    """Fill contours on the grid of an image.

    Args:
        contours_ras: at least one; corners (N, 3) in RAS mm, N at least 3, the last joined to the first.
        image: the PET.
        name: of the region, for messages.

    Returns:
        Bool array (k, j, i).

    Raises:
        InputError: the contours do not lie in parallel planes, or reach beyond the image.
    """
    points_kji = image.index_kji(np.concatenate(contours_ras))
    shape = np.array(image.shape_kji)
    if (points_kji < -1).any() or (points_kji > shape).any():
        raise InputError(f"the contours of {name} reach beyond the image; give the contours of this image")
    axes = _axes(contours_ras)
    planes = _planes(contours_ras, axes, name)
    places = np.array([plane.place_mm for plane in planes])
    voxel_mm = float(np.abs(axes[2] @ image.ijk_to_ras[:3, :3]).sum())
    mask_kji = np.zeros(image.shape_kji, bool)
    slices, rows, columns = (
        np.arange(*bounds)
        for bounds in zip(
            np.clip(np.floor(points_kji.min(axis=0)).astype(int) - 1, 0, shape),
            np.clip(np.ceil(points_kji.max(axis=0)).astype(int) + 2, 0, shape),
            strict=True,
        )
    )
    for k in slices:  # one at a time: the places of all voxels would take many times the memory of the image
        index_kji = np.stack(np.meshgrid(k, rows, columns, indexing="ij"), axis=-1).reshape(-1, 3)
        points = image.point_ras(index_kji) @ axes.T
        owner = _nearest(points[:, 2], places, voxel_mm)
        for n in np.unique(owner[owner >= 0]):
            mine = np.flatnonzero(owner == n)
            inside = mine[_inside(np.round(points[mine, :2], DECIMALS), planes[n].contours_uv)]
            mask_kji[tuple(index_kji[inside].T)] = True
    return mask_kji


def _axes(contours_ras: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Two unit vectors (rows) in the plane of the largest contour, and its normal."""
    areas = [_area_vector(contour) for contour in contours_ras]
    normal = max(areas, key=np.linalg.norm)
    length = np.linalg.norm(normal)
    normal = normal / length if length > 0 else np.array([0.0, 0.0, 1.0])
    helper = np.eye(3)[np.abs(normal).argmin()]
    u = np.cross(normal, helper)
    u /= np.linalg.norm(u)
    return np.stack([u, np.cross(normal, u), normal])


def _area_vector(contour: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area times unit normal (Newell's formula)."""
    centred = contour - contour.mean(axis=0)
    return np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0) / 2


def _planes(contours_ras: Sequence[NDArray], axes: NDArray[np.float64], name: str) -> list[_Plane]:
    """Planes in their order along the normal."""
    turned = [contour @ axes.T for contour in contours_ras]
    if max(float(np.ptp(contour[:, 2])) for contour in turned) > FLATNESS_MM:
        raise InputError(f"the contours of {name} do not lie in parallel planes; export them as planar contours")
    turned.sort(key=lambda contour: float(contour[:, 2].mean()))
    planes: list[tuple[float, list[NDArray]]] = []
    for contour in turned:
        place = float(contour[:, 2].mean())
        if not planes or place - planes[-1][0] > SAME_PLANE_MM:
            planes.append((place, []))
        planes[-1][1].append(np.round(contour[:, :2], DECIMALS))
    return [_Plane(place, contours) for place, contours in planes]


def _nearest(along: NDArray[np.float64], places: NDArray[np.float64], voxel_mm: float) -> NDArray[np.intp]:
    """Return the number of the plane that stands for each place, -1 where none does."""
    gaps = np.diff(places)
    usual = float(np.quantile(gaps, 0.5, method="lower")) if gaps.size else voxel_mm
    edges = np.where(gaps <= GAP * usual, gaps / 2, usual / 2)
    below = places - np.concatenate([[usual / 2], edges])
    above = places + np.concatenate([edges, [usual / 2]])
    owner = np.clip(np.searchsorted(below, along, side="right") - 1, 0, len(places) - 1)
    return np.where((along >= below[owner]) & (along < above[owner]), owner, -1)


def _inside(points_uv: NDArray[np.float64], contours_uv: Sequence[NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Whether a ray from each point along u crosses the contours an odd number of times."""
    order = np.argsort(points_uv[:, 1], kind="stable")
    u, v = points_uv[order].T
    odd = np.zeros(len(order), bool)
    for contour in contours_uv:
        after = np.roll(contour, -1, axis=0)
        lower = np.where((contour[:, 1] <= after[:, 1])[:, None], contour, after)
        upper = np.where((contour[:, 1] <= after[:, 1])[:, None], after, contour)
        starts, ends = np.searchsorted(v, lower[:, 1]), np.searchsorted(v, upper[:, 1])
        for n in np.flatnonzero(ends > starts):
            met = slice(starts[n], ends[n])
            (u0, v0), (u1, v1) = lower[n], upper[n]
            odd[met] ^= u[met] < u0 + (v[met] - v0) * ((u1 - u0) / (v1 - v0))
    inside = np.zeros(len(order), bool)
    inside[order] = odd
    return inside
