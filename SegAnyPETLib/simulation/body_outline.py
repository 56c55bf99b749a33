"""The outline of a body around its organs, slice by slice: legs, a trunk, a neck and a head, all of them ellipses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.simulation.tissues import Tissue

#: Half the width and depth of a neck, in mm.
NECK_MM = 62
#: Half the width and depth of a head, in mm.
HEAD_MM = (79, 97)


@dataclass(frozen=True)
class Ellipse:
    """One part of the body in an axial slice; lengths in mm along R and A from the middle of the first voxel.

    Attributes:
        r: middle along R.
        a: middle along A.
        half_r: half the width.
        half_a: half the depth.
        fat: how thick the fat below its skin is, as a share of the trunk's.
        spine: whether vertebrae lie in it.
        trunk: whether it is the trunk, which has an aorta and bowel.
    """

    r: float
    a: float
    half_r: float
    half_a: float
    fat: float = 1.0
    spine: bool = True
    trunk: bool = True

    def inner(self, r_mm: NDArray, a_mm: NDArray, depth_mm: float) -> NDArray[np.bool_]:
        """Return a mask of the points at least about ``depth_mm`` inside the outline."""
        radius = max(1 - depth_mm / min(self.half_r, self.half_a), 0.0)
        return ((r_mm - self.r) / self.half_r) ** 2 + ((a_mm - self.a) / self.half_a) ** 2 < radius**2


@dataclass(frozen=True)
class _Trunk:
    """The ellipse around the organs below the head, and its lowest and highest position in mm."""

    ellipse: Ellipse
    low: float
    high: float


@dataclass(frozen=True)
class _Head:
    """The ellipse around the brain, and its lowest and highest position in mm."""

    ellipse: Ellipse
    chin: float
    top: float


def body_outlines(
    labels: NDArray, spacing_kji: tuple[float, float, float], rng: np.random.Generator
) -> list[list[Ellipse]]:
    """Draw outlines of the body around organs, for every axial slice.

    Args:
        labels: canonical organ labels (k, j, i), values of `Tissue`.
        spacing_kji: voxel size in mm.
        rng: decides how much there is around the organs.
    """
    trunk, head = _trunk_of(labels, spacing_kji, rng), _head_of(labels == Tissue.BRAIN, spacing_kji)
    return [_outline(k * spacing_kji[0], trunk, head) for k in range(len(labels))]


def _trunk_of(labels: NDArray, spacing_kji: tuple[float, float, float], rng: np.random.Generator) -> _Trunk:
    dk, dj, di = spacing_kji
    not_head = np.where(np.isin(labels, (Tissue.BRAIN, Tissue.HEAD_GLANDS)), 0, labels)
    shown = not_head if not_head.any() else labels
    k_used, j_used, i_used = (np.flatnonzero(shown.any(axis)) for axis in ((1, 2), (0, 2), (0, 1)))
    center_r = di * (i_used[0] + i_used[-1]) / 2
    center_a = dj * (j_used[0] + j_used[-1]) / 2
    half_r = di * (i_used[-1] - i_used[0]) / 2 + rng.uniform(18, 40)
    half_a = dj * (j_used[-1] - j_used[0]) / 2 + rng.uniform(16, 34)
    return _Trunk(Ellipse(center_r, center_a, half_r, half_a), k_used[0] * dk - 40, k_used[-1] * dk + 15)


def _head_of(brain: NDArray[np.bool_], spacing_kji: tuple[float, float, float]) -> _Head | None:
    """Return the head around a brain, None if the labels have no brain."""
    dk, dj, di = spacing_kji
    used = np.flatnonzero(brain.any((1, 2)))
    if not used.size:
        return None
    _, j, i = ndimage.center_of_mass(brain)
    top = used[-1] * dk + 12
    if used[-1] == len(brain) - 1:  # the scan ends within the head
        top = len(brain) * dk + 60.0
    return _Head(Ellipse(i * di, j * dj, *HEAD_MM, 0.25, spine=False, trunk=False), used[0] * dk - 75, top)


def _outline(height_mm: float, trunk: _Trunk, head: _Head | None) -> list[Ellipse]:
    """Return the outlines of the body at a height above the first slice."""
    body = trunk.ellipse
    if height_mm < trunk.low:
        return _legs(trunk.low - height_mm, body)
    if height_mm <= trunk.high:
        return [body]
    if head is None:
        return [Ellipse(body.r, body.a, NECK_MM, NECK_MM, 0.4, trunk=False)]
    if height_mm < head.chin:
        share = (height_mm - trunk.high) / max(head.chin - trunk.high, 1.0)
        return [_neck(share, body, head.ellipse)]
    return [_skull(height_mm - head.top, head.ellipse)] if height_mm < head.top else []


def _legs(below_mm: float, trunk: Ellipse) -> list[Ellipse]:
    """Return two legs, thinner with distance below the trunk."""
    leg = max(48.0, 0.52 * trunk.half_r - 0.06 * below_mm)
    return [Ellipse(trunk.r + side * leg * 1.06, trunk.a, leg, leg, 0.6, False, False) for side in (-1, 1)]


def _neck(share: float, trunk: Ellipse, head: Ellipse) -> Ellipse:
    """Return shoulders or neck at a fraction of the way from the trunk to the chin."""
    narrow = NECK_MM + (trunk.half_r - NECK_MM) * max(0.0, 1 - 2.2 * share)
    r = trunk.r + share * (head.r - trunk.r)
    a = trunk.a + share * (head.a - 15 - trunk.a)
    return Ellipse(r, a, narrow, NECK_MM, 0.4, trunk=False)


def _skull(above_top_mm: float, head: Ellipse) -> Ellipse:
    """Return the head, which narrows over the brain's upper half."""
    dome = np.sqrt(max(0.05, 1 - max(0.0, (above_top_mm + 60) / 60) ** 2))
    return Ellipse(head.r, head.a, head.half_r * dome, head.half_a * dome, 0.25, False, False)
