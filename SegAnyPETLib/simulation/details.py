"""Details that a multi-organ map lacks and that a click meets: cortex, renal pelvis, ureters, hot spots of the neck.

Small hot things are what lesions are confused with, and what they lie beside. `with_details` draws them once per body;
`detail_uptake` gives them uptake relative to the organs around them.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.pet.depth import depths
from SegAnyPETLib.simulation.anatomy import Anatomy
from SegAnyPETLib.simulation.tissues import Tissue
from SegAnyPETLib.volume.box import Box


class Detail(IntEnum):
    """Labels that continue those of `Tissue`."""

    WHITE_MATTER = 16
    VENTRICLES = 17
    RENAL_PELVIS = 18
    URETER = 19
    NECK_SPOT = 20
    CAVITY = 21


#: The organ that a detail is part of, when that organ is asked for.
PART_OF = {
    Detail.WHITE_MATTER: Tissue.BRAIN,
    Detail.VENTRICLES: Tissue.BRAIN,
    Detail.RENAL_PELVIS: Tissue.KIDNEYS,
    Detail.CAVITY: Tissue.HEART,
}
#: Thickness of the brain's cortex in mm, drawn between these.
CORTEX_MM = (5.0, 9.0)
#: Thickness of the renal parenchyma in mm, drawn between these.
PARENCHYMA_MM = (14.0, 19.0)
#: Thickness of the heart's wall in mm, drawn between these.
WALL_MM = (9.0, 14.0)
#: Physiological uptake of the neck: middle below the brain's lowest slice, in front of the brain's middle and to either
#: side, and radius, in mm: tonsils, tongue, floor of the mouth, larynx, thyroid.
NECK_SPOTS_MM = (
    (45, 15, 14, 7),
    (55, 30, 0, 11),
    (72, 35, 8, 6),
    (98, 25, 6, 6),
    (118, 20, 14, 7),
)
#: SUV of the spots of the neck in FDG (Wang Y et al. 2007, doi 10.1007/s11307-006-0075-y), drawn between these.
NECK_SUV = (1.2, 6.0)
#: SUV of urine, drawn between these.
URINE_SUV = (2.0, 25.0)


def with_details(anatomy: Anatomy, rng: np.random.Generator) -> Anatomy:
    """Draw the details of a body into its tissues."""
    tissues = anatomy.tissues.copy()
    spacing = np.array(anatomy.spacing_mm)
    _hollow(tissues, Tissue.BRAIN, Detail.WHITE_MATTER, rng.uniform(*CORTEX_MM), spacing)
    _hollow(tissues, Detail.WHITE_MATTER, Detail.VENTRICLES, rng.uniform(18, 24), spacing)
    _hollow(tissues, Tissue.HEART, Detail.CAVITY, rng.uniform(*WALL_MM), spacing)
    _hollow(tissues, Tissue.KIDNEYS, Detail.RENAL_PELVIS, rng.uniform(*PARENCHYMA_MM), spacing)
    _ureters(tissues, spacing, rng)
    _neck(tissues, spacing, rng)
    return replace(anatomy, tissues=tissues)


def detail_uptake(uptake: NDArray[np.float32], tracer: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """Extend a table of `draw_uptake` by the details.

    Args:
        uptake: SUV indexed by `Tissue`.
        tracer: "fdg" or "psma".
        rng: source of randomness.

    Returns:
        SUV indexed by `Tissue` and `Detail`. Often a detail is not seen: then it takes up what its organ does.
    """
    table = np.zeros(max(Detail) + 1, dtype=np.float32)
    table[: len(uptake)] = uptake
    brain, kidneys, heart = (float(uptake[t]) for t in (Tissue.BRAIN, Tissue.KIDNEYS, Tissue.HEART))
    table[Detail.WHITE_MATTER] = brain * rng.uniform(0.3, 0.7)
    table[Detail.VENTRICLES] = brain * rng.uniform(0.1, 0.3)
    urine = float(np.exp(rng.uniform(*np.log(URINE_SUV))))
    seen = rng.random() < 0.6
    table[Detail.RENAL_PELVIS] = max(urine, kidneys) if seen and tracer == "fdg" else kidneys * rng.uniform(0.3, 1.0)
    table[Detail.URETER] = urine if seen else uptake[Tissue.SOFT]
    table[Detail.NECK_SPOT] = np.exp(rng.uniform(*np.log(NECK_SUV))) if tracer == "fdg" else uptake[Tissue.SOFT]
    table[Detail.CAVITY] = uptake[Tissue.BLOOD] if rng.random() < 0.6 else heart
    return table


def organ_mask(tissues: NDArray[np.uint8], organ: Tissue) -> NDArray[np.bool_]:
    """Return the mask of an organ with the details that are part of it."""
    mask = tissues == organ
    for detail, whole in PART_OF.items():
        if whole == organ:
            mask |= tissues == detail
    return mask


def _hollow(tissues: NDArray[np.uint8], organ: int, inner: Detail, depth_mm: float, spacing: NDArray) -> None:
    """Relabel what lies deeper than some mm within an organ."""
    mask = tissues == organ
    box = Box.of_mask(mask)
    if box is None:
        return
    tissues[box.slices][depths(mask[box.slices], spacing) > depth_mm] = inner


def _ureters(tissues: NDArray[np.uint8], spacing: NDArray, rng: np.random.Generator) -> None:
    """Draw the filled segments of a way from each kidney to the bladder."""
    bladder = np.argwhere(tissues[::2, ::2, ::2] == Tissue.BLADDER) * 2
    labels, count = ndimage.label(np.isin(tissues[::2, ::2, ::2], (Tissue.KIDNEYS, Detail.RENAL_PELVIS)))
    if not len(bladder):
        return
    for label in range(1, count + 1):
        kidney = np.argwhere(labels == label) * 2
        if len(kidney) < 50:
            continue
        begin, end = kidney.mean(0), bladder.mean(0)
        begin[0] = kidney[:, 0].min()
        for _ in range(int(rng.integers(1, 6))):
            share, length = rng.uniform(0, 0.95), rng.uniform(0.01, 0.08)
            for step in np.linspace(share, min(share + length, 1.0), 6):
                place = begin + step * (end - begin) + rng.normal(0, 1.0, 3)
                _ball(tissues, place, rng.uniform(1.8, 3.2), spacing, Detail.URETER)


def _neck(tissues: NDArray[np.uint8], spacing: NDArray, rng: np.random.Generator) -> None:
    """Draw spots of physiological uptake below the brain, some of them on one side only."""
    brain = np.isin(tissues, (Tissue.BRAIN, Detail.WHITE_MATTER, Detail.VENTRICLES))
    box = Box.of_mask(brain)
    if box is None:
        return
    bottom = box.low_kji[0]
    _, j, i = ((low + high - 1) / 2 for low, high in zip(box.low_kji, box.high_kji, strict=True))
    for below, front, side, radius in NECK_SPOTS_MM:
        for sign in (-1, 1) if side else (1,):
            if rng.random() < 0.35:
                continue
            offset = np.array([-below, front, sign * side]) + rng.normal(0, 3, 3)
            place = np.array([bottom, j, i]) + offset / spacing
            _ball(tissues, place, radius * rng.uniform(0.6, 1.2), spacing, Detail.NECK_SPOT)


def _ball(tissues: NDArray[np.uint8], center: NDArray, radius_mm: float, spacing: NDArray, label: Detail) -> None:
    """Label what of a ball lies in soft tissue, fat or bowel."""
    reach = np.ceil(radius_mm / spacing).astype(int)
    low = np.maximum(np.rint(center).astype(int) - reach, 0)
    high = np.minimum(np.rint(center).astype(int) + reach + 1, tissues.shape)
    if (high <= low).any():
        return
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    axes = [((np.arange(a, b) - c) * s) ** 2 for a, b, c, s in zip(low, high, center, spacing, strict=True)]
    inside = axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :] <= radius_mm**2
    inside &= np.isin(tissues[box], (Tissue.SOFT, Tissue.FAT, Tissue.BOWEL))
    tissues[box][inside] = label
