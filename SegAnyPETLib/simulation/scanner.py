"""What a PET scanner makes of an activity: point spread, voxels and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

#: Full width at half maximum of a Gaussian of unit standard deviation.
FWHM_PER_SIGMA = 2.3548


@dataclass(frozen=True)
class Scanner:
    """Properties of one acquisition and reconstruction.

    Attributes:
        resolution_mm: full width at half maximum of the point spread.
        noise: relative noise at SUV 1.
        noise_grain_mm: full width at half maximum of the noise's correlation.
    """

    resolution_mm: float
    noise: float
    noise_grain_mm: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Scanner:
        """A clinical scanner: 4.5 to 8 mm after filtering, quiet to noisy."""
        return cls(
            float(rng.uniform(4.5, 8.0)),
            float(np.exp(rng.uniform(np.log(0.02), np.log(0.22)))),
            float(rng.uniform(3.0, 7.0)),
        )

    def image(self, activity: NDArray, spacing_kji: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
        """Blur an activity and add noise whose deviation grows with its root, as in iterative reconstruction.

        Args:
            activity: SUV (k, j, i).
            spacing_kji: voxel size in mm.
            rng: source of randomness.
        """
        spacing = np.asarray(spacing_kji, dtype=float)
        blurred = ndimage.gaussian_filter(
            activity.astype(np.float32), self.resolution_mm / FWHM_PER_SIGMA / spacing, mode="nearest", truncate=3.0
        )
        white = rng.standard_normal(activity.shape, dtype=np.float32)
        grain = ndimage.gaussian_filter(
            white, self.noise_grain_mm / FWHM_PER_SIGMA / spacing, mode="wrap", truncate=3.0
        )
        grain *= self.noise / max(float(grain.std()), 1e-6)
        return np.maximum(blurred + grain * np.sqrt(np.maximum(blurred, 0) + 0.02), 0)
