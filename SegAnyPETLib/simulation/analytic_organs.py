"""Organs without a label map: ellipsoids at adult positions and sizes."""

from __future__ import annotations

import numpy as np

from SegAnyPETLib.simulation.tissues import Tissue
from SegAnyPETLib.volume.volume import Volume

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


def analytic_organs(rng: np.random.Generator, spacing_mm: float = 3.0) -> Volume:
    """Draw a multi-organ map of ellipsoids at adult positions, with a small variation of sizes and positions."""
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
