"""The body around organs: fat below the skin, vertebral marrow, an aorta and bowel loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.simulation.body_outline import Ellipse, body_outlines
from SegAnyPETLib.simulation.lesions import smooth_noise
from SegAnyPETLib.simulation.tissues import Tissue


def add_body(labels: NDArray[np.uint8], spacing_kji: tuple[float, float, float], rng: np.random.Generator) -> NDArray:
    """Fill body tissues in around the organs of a canonical label map."""
    _, dj, di = spacing_kji
    height, width = labels.shape[1:]
    outlines = body_outlines(labels, spacing_kji, rng)
    a_mm = dj * np.arange(height)[:, None]
    r_mm = di * np.arange(width)[None, :]
    fat_mm = rng.uniform(4, 24)
    bowel = _bowel_field(labels.shape, spacing_kji, rng)
    lowest, highest = _abdomen(labels)
    tissues = np.zeros(labels.shape, dtype=np.uint8)
    planes: dict[Ellipse, NDArray[np.uint8]] = {}  # most slices of a trunk share one outline
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
    """Return the range of slices with bowel: from the bladder's lowest to the lungs' lowest."""
    bladder = np.flatnonzero((labels == Tissue.BLADDER).any((1, 2)))
    lungs = np.flatnonzero((labels == Tissue.LUNGS).any((1, 2)))
    depth = len(labels)
    return (int(bladder[0]) if bladder.size else depth // 4, int(lungs[0]) if lungs.size else depth // 2)


def _plane(ellipse: Ellipse, r_mm: NDArray, a_mm: NDArray, fat_mm: float) -> NDArray[np.uint8]:
    """Return the tissues of an axial slice with one outline."""
    plane = np.where(ellipse.inner(r_mm, a_mm, 0.0), Tissue.FAT, Tissue.AIR).astype(np.uint8)
    plane[ellipse.inner(r_mm, a_mm, fat_mm * ellipse.fat)] = Tissue.SOFT
    if ellipse.spine:
        spine_a = ellipse.a - ellipse.half_a * 0.55
        around = np.hypot(r_mm - ellipse.r, a_mm - spine_a)
        plane[(around < min(19.0, ellipse.half_r / 3)) & ellipse.inner(r_mm, a_mm, 4.0)] = Tissue.MARROW
        if ellipse.trunk:
            plane[np.hypot(r_mm - ellipse.r + 12, a_mm - spine_a - 30) < 11] = Tissue.BLOOD
    return plane


def _bowel_field(shape: tuple[int, ...], spacing_kji: tuple[float, float, float], rng: np.random.Generator) -> NDArray:
    """Return a mask of tube-like bands, in which a smooth random field is close to its mean."""
    field = smooth_noise(shape, 14.0 / np.asarray(spacing_kji), rng)
    return np.abs(field) < 0.3
