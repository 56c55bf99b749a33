"""Anatomies for the simulator: tissue maps made from a multi-organ map, or from nothing.

A multi-organ map has no body around its organs. The body here is analytic: per axial slice an ellipse around the
organs, a head around the brain, a neck, two legs; with fat below the skin, vertebral marrow, an aorta and bowel loops.
Without a map the organs are ellipsoids at adult positions and sizes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.training.lesions import smooth_noise
from SegAnyPETLib.training.tissues import ORGANS, Tissue
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import canonical_directions

#: Room left around the organs, so that the skin fits in.
MARGIN_MM = 48.0

#: Organ, centre (R, A, S) and radii in mm of the analytic body: round figures for an adult; the legs end at S = 0.
ANALYTIC_ORGANS: tuple[tuple[Tissue, tuple[float, float, float], tuple[float, float, float]], ...] = (
    (Tissue.LUNGS, (75, -5, 760), (58, 82, 120)),
    (Tissue.LUNGS, (-75, -5, 760), (55, 80, 120)),
    (Tissue.HEART, (-25, 35, 700), (52, 42, 55)),
    (Tissue.LIVER, (65, 15, 600), (85, 75, 78)),
    (Tissue.STOMACH, (-55, 35, 600), (42, 38, 52)),
    (Tissue.SPLEEN, (-105, -45, 605), (28, 42, 52)),
    (Tissue.KIDNEYS, (62, -50, 505), (27, 27, 54)),
    (Tissue.KIDNEYS, (-62, -50, 515), (27, 27, 54)),
    (Tissue.BLADDER, (0, 35, 275), (38, 32, 32)),
    (Tissue.PROSTATE, (0, 20, 232), (22, 18, 18)),
    (Tissue.BRAIN, (0, 0, 1065), (66, 82, 64)),
    (Tissue.HEAD_GLANDS, (52, -5, 975), (13, 18, 26)),
    (Tissue.HEAD_GLANDS, (-52, -5, 975), (13, 18, 26)),
    (Tissue.HEAD_GLANDS, (28, 28, 950), (11, 15, 14)),
    (Tissue.HEAD_GLANDS, (-28, 28, 950), (11, 15, 14)),
)


@dataclass(frozen=True)
class Anatomy:
    """Tissues on a canonical grid.

    Attributes:
        tissues: uint8 array (k, j, i) = (superior, anterior, right), values of `Tissue`.
        spacing_mm: voxel size along k, j and i.
    """

    tissues: NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]


def anatomy_from_organs(organs: Volume, rng: np.random.Generator) -> Anatomy:
    """The tissue map of a multi-organ map (labels 1 to 10 as in `Tissue`), cropped around the body.

    Raises:
        InputError: the map has no organ, or other labels.
    """
    if organs.array_kji.min() < 0 or not 0 < organs.array_kji.max() <= max(ORGANS):
        raise InputError("an organ map needs labels 1 to 10 (spleen ... head glands) and at least one organ")
    labels, spacing_kji = canonical_labels(organs)
    return Anatomy(add_body(_padded(labels, spacing_kji), spacing_kji, rng), spacing_kji)


def canonical_labels(organs: Volume) -> tuple[NDArray[np.uint8], tuple[float, float, float]]:
    """A label map with its axes permuted and flipped to (superior, anterior, right), and its spacing along them."""
    step = organs.ras_to_ijk[:3, :3] @ canonical_directions(organs.ijk_to_ras)
    axes = [2 - int(np.abs(step[:, r]).argmax()) for r in (2, 1, 0)]
    flips = tuple(n for n, r in enumerate((2, 1, 0)) if step[np.abs(step[:, r]).argmax(), r] < 0)
    labels = np.flip(np.transpose(organs.array_kji, axes), flips)
    k, j, i = (float(organs.spacing_mm[2 - a]) for a in axes)
    return labels.astype(np.uint8), (k, j, i)


def analytic_organs(rng: np.random.Generator, spacing_mm: float = 3.0) -> Volume:
    """A multi-organ map of ellipsoids at adult positions, sizes and places varied a little."""
    shape = tuple(int(n / spacing_mm) for n in (1150, 330, 460))
    matrix = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    matrix[:3, 3] = -230, -165, 0
    grid = Volume(np.zeros(shape, dtype=np.uint8), matrix)
    axes = [matrix[a, 3] + spacing_mm * np.arange(n) for a, n in enumerate(reversed(shape))]
    size = rng.uniform(0.92, 1.08)
    for tissue, center, radii in ANALYTIC_ORGANS:
        center_ras = np.array(center) * size + rng.normal(0, 4, 3)
        radii_mm = np.array(radii) * size * rng.uniform(0.85, 1.15, 3)
        r, a, s = ((axis - c) / radius for axis, c, radius in zip(axes, center_ras, radii_mm, strict=True))
        inside = s[:, None, None] ** 2 + a[None, :, None] ** 2 + r[None, None, :] ** 2 < 1
        grid.array_kji[inside] = tissue
    return grid


def add_body(labels: NDArray[np.uint8], spacing_kji: tuple[float, float, float], rng: np.random.Generator) -> NDArray:
    """Fill body tissues in around the organs of a canonical label map."""
    _, dj, di = spacing_kji
    height, width = labels.shape[1:]
    outlines = _body_ellipses(labels, spacing_kji, rng)
    a_mm = dj * np.arange(height)[:, None]
    r_mm = di * np.arange(width)[None, :]
    fat_mm = rng.uniform(4, 24)
    bowel = _bowel_field(labels.shape, spacing_kji, rng)
    lowest, highest = _abdomen(labels)
    tissues = np.zeros(labels.shape, dtype=np.uint8)
    planes: dict[_Ellipse, NDArray[np.uint8]] = {}  # most slices of a trunk share one outline
    for k, ellipses in enumerate(outlines):
        for ellipse in ellipses:
            if ellipse not in planes:
                planes[ellipse] = _plane(ellipse, r_mm, a_mm, fat_mm)
            np.maximum(tissues[k], planes[ellipse], out=tissues[k])
        if lowest <= k < highest and ellipses and ellipses[0].trunk:
            room = ellipses[0].inner(r_mm, a_mm, 30.0) & (a_mm > ellipses[0].a - ellipses[0].half_a * 0.25)
            tissues[k][bowel[k] & room & (tissues[k] == Tissue.SOFT)] = Tissue.BOWEL
    return np.where(labels > 0, labels, tissues)


def _abdomen(labels: NDArray[np.uint8]) -> tuple[int, int]:
    """The slices that have bowel: from the bladder's lowest to the lungs' lowest."""
    bladder = np.flatnonzero((labels == Tissue.BLADDER).any((1, 2)))
    lungs = np.flatnonzero((labels == Tissue.LUNGS).any((1, 2)))
    depth = len(labels)
    return (int(bladder[0]) if bladder.size else depth // 4, int(lungs[0]) if lungs.size else depth // 2)


def _plane(ellipse: _Ellipse, r_mm: NDArray, a_mm: NDArray, fat_mm: float) -> NDArray[np.uint8]:
    """Tissues of an axial slice with one outline."""
    plane = np.where(ellipse.inner(r_mm, a_mm, 0.0), Tissue.FAT, Tissue.AIR).astype(np.uint8)
    plane[ellipse.inner(r_mm, a_mm, fat_mm * ellipse.fat)] = Tissue.SOFT
    if ellipse.spine:
        spine_a = ellipse.a - ellipse.half_a * 0.55
        around = np.hypot(r_mm - ellipse.r, a_mm - spine_a)
        plane[(around < min(19.0, ellipse.half_r / 3)) & ellipse.inner(r_mm, a_mm, 4.0)] = Tissue.MARROW
        if ellipse.trunk:
            plane[np.hypot(r_mm - ellipse.r + 12, a_mm - spine_a - 30) < 11] = Tissue.BLOOD
    return plane


@dataclass(frozen=True)
class _Ellipse:
    r: float
    a: float
    half_r: float
    half_a: float
    fat: float = 1.0
    spine: bool = True
    trunk: bool = True

    def inner(self, r_mm: NDArray, a_mm: NDArray, depth_mm: float) -> NDArray[np.bool_]:
        """What lies at least about ``depth_mm`` inside the outline."""
        radius = max(1 - depth_mm / min(self.half_r, self.half_a), 0.0)
        return ((r_mm - self.r) / self.half_r) ** 2 + ((a_mm - self.a) / self.half_a) ** 2 < radius**2


def _body_ellipses(
    labels: NDArray, spacing_kji: tuple[float, float, float], rng: np.random.Generator
) -> list[list[_Ellipse]]:
    """Outlines of the body per axial slice."""
    dk, dj, di = spacing_kji
    depth = labels.shape[0]
    brain = labels == Tissue.BRAIN
    not_head = np.where(brain | (labels == Tissue.HEAD_GLANDS), 0, labels)
    k_used, j_used, i_used = (np.flatnonzero(not_head.any(axis)) for axis in ((1, 2), (0, 2), (0, 1)))
    if k_used.size == 0:
        k_used, j_used, i_used = (np.flatnonzero(labels.any(axis)) for axis in ((1, 2), (0, 2), (0, 1)))
    center_r = di * (i_used[0] + i_used[-1]) / 2
    center_a = dj * (j_used[0] + j_used[-1]) / 2
    half_r = di * (i_used[-1] - i_used[0]) / 2 + rng.uniform(18, 40)
    half_a = dj * (j_used[-1] - j_used[0]) / 2 + rng.uniform(16, 34)
    low, high = k_used[0] * dk - 40, k_used[-1] * dk + 15
    brain_k = np.flatnonzero(brain.any((1, 2)))
    head = None
    if brain_k.size:
        _, j, i = ndimage.center_of_mass(brain)
        head = _Ellipse(i * di, j * dj, 79, 97, 0.25, spine=False, trunk=False)
    outlines: list[list[_Ellipse]] = []
    for k in range(depth):
        s = k * dk
        if s < low:
            leg = max(48.0, 0.52 * half_r - 0.06 * (low - s))
            outlines.append(
                [_Ellipse(center_r + side * leg * 1.06, center_a, leg, leg, 0.6, False, False) for side in (-1, 1)]
            )
        elif s <= high:
            outlines.append([_Ellipse(center_r, center_a, half_r, half_a)])
        elif head is None:
            outlines.append([_Ellipse(center_r, center_a, 62, 62, 0.4, trunk=False)])
        else:
            chin, top = brain_k[0] * dk - 75, brain_k[-1] * dk + 12
            if brain_k[-1] == depth - 1:  # the scan ends within the head
                top = depth * dk + 60.0
            if s < chin:
                share = (s - high) / max(chin - high, 1.0)
                narrow = 62 + (half_r - 62) * max(0.0, 1 - 2.2 * share)
                outlines.append(
                    [
                        _Ellipse(
                            center_r + share * (head.r - center_r),
                            center_a + share * (head.a - 15 - center_a),
                            narrow,
                            62,
                            0.4,
                            trunk=False,
                        )
                    ]
                )
            elif s < top:
                # The skull closes over the brain's upper half.
                dome = np.sqrt(max(0.05, 1 - max(0.0, (s - top + 60) / 60) ** 2))
                outlines.append([_Ellipse(head.r, head.a, head.half_r * dome, head.half_a * dome, 0.25, False, False)])
            else:
                outlines.append([])
    return outlines


def _bowel_field(shape: tuple[int, ...], spacing_kji: tuple[float, float, float], rng: np.random.Generator) -> NDArray:
    """Tube-like bands: where a smooth random field is close to its mean."""
    field = smooth_noise(shape, 14.0 / np.asarray(spacing_kji), rng)
    return np.abs(field) < 0.3


def _padded(labels: NDArray[np.uint8], spacing_kji: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Crop in plane to the organs and a margin; keep every slice."""
    crop: list[slice] = [slice(None)]
    for axis in (1, 2):
        used = np.flatnonzero(labels.any(tuple(a for a in range(3) if a != axis)))
        margin = int(np.ceil(MARGIN_MM / spacing_kji[axis]))
        crop.append(slice(max(int(used[0]) - margin, 0), int(used[-1]) + 1 + margin))
    return np.ascontiguousarray(labels[tuple(crop)])
