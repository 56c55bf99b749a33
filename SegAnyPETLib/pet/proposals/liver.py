"""Uptake of the liver, against which disease is judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.nearby import distances_around
from SegAnyPETLib.volume.volume import Volume

#: Radius of PERCIST's sphere of 3 cm in the right lobe (Wahl et al. 2009, doi 10.2967/jnumed.108.057307).
SPHERE_RADIUS_MM = 15.0
#: Liver that varies more than this share of its mean holds something else, or is not liver.
MAX_VARIATION = 0.5


@dataclass(frozen=True)
class LiverReference:
    """Uptake in a sphere of 3 cm in healthy liver, in the units of the volume's values.

    Attributes:
        mean: of the sphere's voxels.
        sd: their standard deviation.
        maximum: their maximum.
    """

    mean: float
    sd: float
    maximum: float

    @property
    def percist_minimum(self) -> float:
        """Least SUVpeak of a lesion that PERCIST measures: 1.5 times the mean and 2 SD."""
        return 1.5 * self.mean + 2.0 * self.sd

    def times(self, factor: float) -> LiverReference:
        """Return the liver of an image whose values are so many times as large."""
        return LiverReference(factor * self.mean, factor * self.sd, factor * self.maximum)


def liver_reference(volume: Volume, center_ras: ArrayLike) -> LiverReference:
    """Measure the liver in a sphere of 3 cm.

    Args:
        volume: the PET in SUV.
        center_ras: centre of the sphere, RAS mm; in the right lobe, away from lesions and the border.

    Raises:
        InputError: the centre lies outside the volume, or the sphere cannot lie in healthy liver.
    """
    box, distance_mm = distances_around(volume, volume.nearest_kji(center_ras), SPHERE_RADIUS_MM)
    values = volume.array_kji[box.slices][distance_mm <= SPHERE_RADIUS_MM].astype(np.float64)
    mean, sd = float(values.mean()), float(values.std())
    if not mean > 0 or sd > MAX_VARIATION * mean:
        raise InputError(
            f"the values around the liver point have a mean of {mean:.2f} and an SD of {sd:.2f}, which is no healthy "
            "liver; give the middle of the right lobe"
        )
    return LiverReference(mean, sd, float(values.max()))
