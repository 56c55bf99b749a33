"""Tissues of the simulator and how much tracer they take up.

Ranges are SUVmean of body weight, set by this project around published means and widened for disease, fasting state,
kind of scanner and, for PSMA, ligand. FDG: the atlas of normal tissues of Wang Y et al. 2007
(doi 10.1007/s11307-006-0075-y). PSMA: Muchnik Kurash M et al. 2020 for 68Ga-PSMA-11 (doi 10.1038/s41598-020-60099-y)
and Li X et al. 2017 for 18F-DCFPyL (J Nucl Med 58:942, PMC5450367).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Tissue(IntEnum):
    """Labels 1 to 10 are those of multi-organ maps; the simulator adds the others."""

    AIR = 0
    SPLEEN = 1
    KIDNEYS = 2
    LIVER = 3
    BLADDER = 4
    LUNGS = 5
    BRAIN = 6
    HEART = 7
    STOMACH = 8
    PROSTATE = 9
    HEAD_GLANDS = 10
    SOFT = 11
    FAT = 12
    MARROW = 13
    BOWEL = 14
    BLOOD = 15


#: Organs of the multi-organ maps.
ORGANS = tuple(Tissue(n) for n in range(1, 11))

UPTAKE_SUV: dict[str, dict[Tissue, tuple[float, float]]] = {
    "fdg": {
        Tissue.SPLEEN: (1.2, 3.2),
        Tissue.KIDNEYS: (1.8, 7.0),
        Tissue.LIVER: (1.4, 3.5),
        Tissue.BLADDER: (3.0, 50.0),
        Tissue.LUNGS: (0.25, 0.8),
        Tissue.BRAIN: (4.0, 14.0),
        Tissue.HEART: (1.4, 14.0),
        Tissue.STOMACH: (1.0, 4.0),
        Tissue.PROSTATE: (1.0, 3.0),
        Tissue.HEAD_GLANDS: (1.2, 5.0),
        Tissue.SOFT: (0.4, 0.9),
        Tissue.FAT: (0.15, 0.4),
        Tissue.MARROW: (0.7, 2.5),
        Tissue.BOWEL: (0.7, 5.0),
        Tissue.BLOOD: (1.0, 2.2),
    },
    "psma": {
        Tissue.SPLEEN: (2.5, 14.0),
        Tissue.KIDNEYS: (15.0, 60.0),
        Tissue.LIVER: (2.5, 9.0),
        Tissue.BLADDER: (3.0, 80.0),
        Tissue.LUNGS: (0.25, 0.7),
        Tissue.BRAIN: (0.05, 0.4),
        Tissue.HEART: (0.9, 2.2),
        Tissue.STOMACH: (1.0, 5.0),
        Tissue.PROSTATE: (1.5, 5.0),
        Tissue.HEAD_GLANDS: (6.0, 25.0),
        Tissue.SOFT: (0.3, 0.8),
        Tissue.FAT: (0.1, 0.35),
        Tissue.MARROW: (0.3, 1.2),
        Tissue.BOWEL: (1.0, 12.0),
        Tissue.BLOOD: (0.9, 2.0),
    },
}


def draw_uptake(tracer: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw the uptake of every tissue of one patient, log-uniform within its range.

    Returns:
        SUV indexed by `Tissue`; air has a trace.
    """
    table = np.full(len(Tissue), 0.02, dtype=np.float32)
    for tissue, (low, high) in UPTAKE_SUV[tracer].items():
        table[tissue] = np.exp(rng.uniform(np.log(low), np.log(high)))
    return table
