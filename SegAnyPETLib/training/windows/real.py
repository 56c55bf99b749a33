"""Windows of real PET with a reference mask, varied in place, zoom, orientation, uptake and surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.simulation.lesions import lesion_shape, lesion_suv, lesion_uptake
from SegAnyPETLib.simulation.scanner import FWHM_PER_SIGMA, Scanner
from SegAnyPETLib.training.windows.sample import MIN_VOXELS, Sample, drawn_until_seen
from SegAnyPETLib.training.windows.simulated import draw_spacing
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window

#: Share of windows in which a simulated lesion on the real background is the target instead.
PASTED_SHARE = 0.2
#: Share of windows with simulated hot neighbours around the target.
NEIGHBOUR_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class RealCase:
    """A PET volume in SUV and the mask of its target, on the same grid; the mask may be known to be a poor one."""

    name: str
    image: Volume
    mask: Volume
    low_quality: bool = False


class RealWindows:
    """Draws windows from real cases.

    Args:
        cases: what to draw from.
        size: voxels per side of a window.
        spacing_mm: voxel size of all windows; None where it goes with the target.
    """

    def __init__(self, cases: list[RealCase], size: int, spacing_mm: float | None = None) -> None:
        self.cases = cases
        self.size = size
        self.spacing_mm = spacing_mm

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw a new window.

        Raises:
            InputError: no case shows a target.
        """
        return drawn_until_seen(
            lambda: self._window(self.cases[int(rng.integers(len(self.cases)))], rng),
            "give cases with larger masks, or windows of smaller voxels",
        )

    def _window(self, case: RealCase, rng: np.random.Generator) -> Sample:
        box = Box.of_mask(case.mask.array_kji)
        assert box is not None
        extent = [n * d for n, d in zip(box.shape_kji, case.mask.spacing_mm[::-1], strict=True)]
        spacing = self._spacing(max(extent), rng)
        voxels = np.argwhere(case.mask.array_kji)
        on_target = voxels[int(rng.integers(len(voxels)))]
        share = rng.random()
        middle = share * on_target + (1 - share) * voxels.mean(0)
        window = Window.around(case.image, case.image.point_ras(middle), self.size, spacing)
        image = window.sample(case.image)
        target = annotated = window.sample(case.mask) > 0.5
        if rng.random() < 0.5:
            image = self._surround(image, window, case, rng)
        # Real targets look larger or smaller: the voxel size told to the network is varied.
        spacing = self.spacing_mm or spacing * float(rng.uniform(0.8, 1.25))
        image = image * np.float32(np.exp(rng.uniform(-0.5, 0.5)))
        if rng.random() < PASTED_SHARE:
            image, target = self._paste(image, target, spacing, rng)
        elif rng.random() < NEIGHBOUR_SHARE:
            for _ in range(int(rng.integers(1, 4))):
                image, _ = self._paste(image, target, spacing, rng)
        low_quality = case.low_quality and target is annotated
        image, target = _turned(image, target, rng)
        if rng.random() < 0.5:
            image = Scanner(float(rng.uniform(0.5, 5.0)), float(rng.uniform(0.0, 0.08)), 5.0).image(
                image, (spacing,) * 3, rng
            )
        return Sample(image, target, spacing, "real", low_quality)

    def _spacing(self, extent_mm: float, rng: np.random.Generator) -> float:
        """Draw the voxel size that a window is cut at: about the fixed one, so that targets vary in size."""
        if self.spacing_mm is not None:
            return self.spacing_mm * float(rng.uniform(0.8, 1.25))
        return draw_spacing(extent_mm * rng.uniform(0.9, 2.6), self.size, rng)

    def _surround(
        self, image: NDArray, window: Window, case: RealCase, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Tissue instead of nothing outside a crop."""
        ones = case.image.with_array(np.ones(case.image.shape_kji, dtype=bool))
        tissue = np.float32(rng.uniform(0.1, 0.8)) * np.exp(0.1 * rng.standard_normal(image.shape, dtype=np.float32))
        return np.where(window.sample(ones) > 0.5, image, tissue)

    def _paste(
        self, image: NDArray, avoid: NDArray, spacing_mm: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Blend a simulated lesion into the image, outside ``avoid``; return the image and the lesion's mask."""
        places = np.argwhere(~avoid & (image > 0.1))
        if len(places) == 0:
            return image, avoid
        radius = float(np.exp(rng.uniform(np.log(3.5), np.log(25.0))))
        mask = (
            lesion_shape(image.shape, places[int(rng.integers(len(places)))], radius, (spacing_mm,) * 3, rng) & ~avoid
        )
        if mask.sum() < MIN_VOXELS:
            return image, avoid
        suv = lesion_suv(float(np.median(image[mask])), rng)
        sigma = rng.uniform(4.5, 8.0) / FWHM_PER_SIGMA / spacing_mm
        uptake = lesion_uptake(mask, suv, radius, (spacing_mm,) * 3, rng) * mask
        share = ndimage.gaussian_filter(mask.astype(np.float32), sigma, truncate=3.0)
        blurred = ndimage.gaussian_filter(uptake, sigma, truncate=3.0)
        return image * (1 - share) + blurred, mask


def _turned(image: NDArray, target: NDArray, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Axes permuted and flipped at random."""
    axes = tuple(rng.permutation(3))
    flips = tuple(int(a) for a in range(3) if rng.random() < 0.5)
    image, target = (np.flip(np.transpose(a, axes), flips) for a in (image, target))
    return np.ascontiguousarray(image), np.ascontiguousarray(target)
