"""What is read off a segment: volume, SUVmax, SUVmean, SUVpeak and total lesion glycolysis."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.volume import Volume

#: Radius of a sphere of 1 ml in millimetres, about 12 mm in diameter.
PEAK_RADIUS_MM = 10.0 * (3.0 / (4.0 * np.pi)) ** (1.0 / 3.0)


@dataclass(frozen=True)
class Quantities:
    """Quantities of one segment; SUV in the units of the volume's values (g/ml for body-weight SUV).

    Attributes:
        volume_ml: volume of the mask, the metabolic tumour volume (MTV) of a lesion.
        suv_max: largest value in the mask.
        suv_mean: mean value in the mask.
        suv_peak: highest mean over a sphere of 1 ml whose centre is a voxel of the mask.
        tlg: total lesion glycolysis, ``suv_mean * volume_ml`` (g for body-weight SUV).
    """

    volume_ml: float
    suv_max: float
    suv_mean: float
    suv_peak: float
    tlg: float

    def times(self, factor: float) -> Quantities:
        """Return the quantities of an image whose values are so many times as large."""
        suv_max, suv_mean, suv_peak = (factor * value for value in (self.suv_max, self.suv_mean, self.suv_peak))
        return replace(self, suv_max=suv_max, suv_mean=suv_mean, suv_peak=suv_peak, tlg=factor * self.tlg)


def quantities(volume: Volume, mask_kji: NDArray[np.bool_]) -> Quantities:
    """Measure a segment.

    Args:
        volume: the PET; values are taken as SUV.
        mask_kji: bool array on the volume's grid.

    Raises:
        InputError: the mask does not fit the grid or has no voxel.
    """
    if mask_kji.shape != volume.shape_kji:
        raise InputError(f"a mask of shape {mask_kji.shape} does not fit the grid {volume.shape_kji}")
    if not mask_kji.any():
        raise InputError("the mask has no voxel, there is nothing to measure")
    values = volume.array_kji[mask_kji].astype(np.float64)
    volume_ml = values.size * volume.voxel_ml
    mean = float(values.mean())
    return Quantities(volume_ml, float(values.max()), mean, suv_peak(volume, mask_kji), mean * volume_ml)


def suv_peak(volume: Volume, mask_kji: NDArray[np.bool_]) -> float:
    """Highest mean over a sphere of 1 ml centred on a voxel of the mask.

    The sphere may reach out of the mask: it holds the voxels of the image whose centres lie within 6.2 mm of its own,
    the "global intensity peak" of the Image Biomarker Standardisation Initiative (doi 10.1148/radiol.2020191145);
    Wahl et al. 2009, doi 10.2967/jnumed.108.057307, for SUVpeak itself. At the border of the image the sphere is cut.

    Args:
        volume: the PET; values are taken as SUV.
        mask_kji: bool array on the volume's grid with at least one voxel.
    """
    sphere = _sphere(volume.spacing_mm[::-1])
    box = Box.of_mask(mask_kji)
    assert box is not None
    reach = box.grown([n // 2 for n in sphere.shape]).clipped(volume.shape_kji).slices
    values = volume.array_kji[reach].astype(np.float64)
    sums = ndimage.convolve(values, sphere, mode="constant")
    counts = ndimage.convolve(np.ones_like(values), sphere, mode="constant")
    return float((sums / counts)[mask_kji[reach]].max())


def suv_peak_local(volume: Volume, mask_kji: NDArray[np.bool_]) -> float:
    """Mean over a sphere of 1 ml centred on the hottest voxel of the mask; of equally hot ones, the highest mean.

    The "local intensity peak" of the Image Biomarker Standardisation Initiative; otherwise as `suv_peak`.
    """
    return suv_peak(volume, mask_kji & (volume.array_kji == volume.array_kji[mask_kji].max()))


def _sphere(spacing_kji: NDArray) -> NDArray[np.float64]:
    """1 for voxels whose centres lie within the sphere around the central voxel, else 0."""
    reach = np.floor(PEAK_RADIUS_MM / spacing_kji).astype(int)
    offsets = np.meshgrid(
        *(np.arange(-n, n + 1) * step for n, step in zip(reach, spacing_kji, strict=True)), indexing="ij"
    )
    return (np.sum(np.square(offsets), axis=0) <= PEAK_RADIUS_MM**2).astype(np.float64)
