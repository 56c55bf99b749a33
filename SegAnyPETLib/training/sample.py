"""One training example: a PET window and the target in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sample:
    """A window of PET with its reference.

    Attributes:
        image: (K, J, I) float32, SUV.
        target: (K, J, I) bool; the annotation that is at hand, which need not be the truth.
        spacing_mm: isotropic voxel size.
        kind: where it comes from: "organ", "lesion" or "real".
        low_quality: whether the annotation is known to be a poor one.
    """

    image: NDArray[np.float32]
    target: NDArray[np.bool_]
    spacing_mm: float
    kind: str
    low_quality: bool = False
