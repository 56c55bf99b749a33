"""What a PET scanner makes of an activity: point spread, voxels and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

#: Full width at half maximum of a Gaussian of unit standard deviation.
FWHM_PER_SIGMA = 2.3548


#: Spread of the halo that an overshoot is taken from, as a share of the point spread.
OVERSHOOT_REACH = 1.0
#: Uptake in SUV below which noise does not fall any further.
NOISE_FLOOR = 0.02


@dataclass(frozen=True)
class Scanner:
    """Properties of one acquisition and reconstruction.

    Attributes:
        resolution_mm: full width at half maximum of the point spread.
        noise: relative noise at SUV 1.
        noise_grain_mm: full width at half maximum of the noise's correlation in the axial plane.
        noise_power: the noise's deviation goes with the uptake to this power. One half is that of counts; in images of
            iterative reconstruction it was measured between 0.75 and 1.
        axial_grain: correlation of the noise between slices, as a share of that within them.
        overshoot: how far edges overshoot, as with a modelled point spread: 0 for not at all; 0.5 brings a sphere of 13
            mm about 1.2 times above its uptake.
    """

    resolution_mm: float
    noise: float
    noise_grain_mm: float
    noise_power: float = 0.5
    axial_grain: float = 1.0
    overshoot: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Scanner:
        """Draw a clinical scanner: 3 to 8 mm after filtering, quiet to noisy, three in ten with an overshoot."""
        return cls(
            resolution_mm=float(rng.uniform(3.0, 8.0)),
            noise=float(np.exp(rng.uniform(np.log(0.02), np.log(0.22)))),
            noise_grain_mm=float(rng.uniform(4.0, 12.0)),
            noise_power=float(rng.uniform(0.75, 1.0)),
            axial_grain=float(rng.uniform(0.5, 1.0)),
            overshoot=float(rng.uniform(0.1, 0.6)) if rng.random() < 0.3 else 0.0,
        )

    def image(self, activity: NDArray, spacing_kji: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
        """Blur an activity and add noise.

        Args:
            activity: SUV (k, j, i); k is the axis between slices.
            spacing_kji: voxel size in mm.
            rng: source of randomness.
        """
        spacing = np.asarray(spacing_kji, dtype=float)
        sigma = self.resolution_mm / FWHM_PER_SIGMA / spacing
        blurred = ndimage.gaussian_filter(activity.astype(np.float32), sigma, mode="nearest", truncate=3.0)
        if self.overshoot:
            halo = ndimage.gaussian_filter(blurred, OVERSHOOT_REACH * sigma, mode="nearest", truncate=3.0)
            blurred = np.maximum(blurred + np.float32(self.overshoot) * (blurred - halo), 0)
        white = rng.standard_normal(activity.shape, dtype=np.float32)
        grain_mm = self.noise_grain_mm * np.array([self.axial_grain, 1.0, 1.0])
        grain = ndimage.gaussian_filter(white, grain_mm / FWHM_PER_SIGMA / spacing, mode="wrap", truncate=3.0)
        grain *= self.noise / max(float(grain.std()), 1e-6)
        level = np.maximum(blurred, 0) + NOISE_FLOOR
        return np.maximum(blurred + grain * level ** np.float32(self.noise_power), 0)
