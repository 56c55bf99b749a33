"""One training example: a PET window and the target in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError

#: A target of fewer voxels cannot be seen.
MIN_VOXELS = 4
#: A source that shows no target in so many windows will hardly ever show one.
MAX_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class Sample:
    """A window of PET with its reference.

    Attributes:
        image: (K, J, I) float32, SUV.
        target: (K, J, I) bool; the annotation that is at hand, which need not be the truth.
        spacing_mm: isotropic voxel size.
        kind: where it comes from: "organ", "lesion" or "real".
        low_quality: whether the annotation is known to be a poor one.
        not_target: (K, J, I) bool, what is known to be something else, such as finished neighbours; None if nothing is.
    """

    image: NDArray[np.float32]
    target: NDArray[np.bool_]
    spacing_mm: float
    kind: str
    low_quality: bool = False
    not_target: NDArray[np.bool_] | None = None


def drawn_until_seen(draw: Callable[[], Sample | None], advice: str) -> Sample:
    """Return the first window that shows enough of its target.

    Args:
        draw: makes a window; None where it cannot.
        advice: what to do where none does.

    Raises:
        InputError: none of many windows does.
    """
    for _ in range(MAX_DRAWS):
        sample = draw()
        if sample is not None and sample.target.sum() >= MIN_VOXELS:
            return sample
    raise InputError(f"none of {MAX_DRAWS} training windows shows {MIN_VOXELS} voxels of a target; {advice}")
