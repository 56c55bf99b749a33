"""Uptake above its surroundings: what is smaller than an organ and stands out, however faint it is.

A white top-hat: of every voxel the background is taken away, a morphological opening by a ball of 60 mm. What is larger
than the ball in all directions, as liver and brain, is its own background and vanishes; lesions remain. Faint ones that
no fixed threshold finds are found, and a region ends where the uptake above the background has fallen to a fraction.
What is hot and too large for that is added by a fraction of its own maximum. All is done in the smoothed scan: without
it, noise of a real scan gave ten times as many candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.pet.proposals.regions import Cut, hot_regions
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.sitk_bridge import to_image
from SegAnyPETLib.volume.volume import Volume

#: Diameter of the ball; most organs are larger, most lesions smaller.
BALL_MM = 60.0
#: So much of its radius is a cube's, the rest an octahedron's: together they are nearly round, and quick to compute.
CUBE_SHARE = 0.3
#: The background is computed in voxels of about this size.
COARSE_MM = 8.0

#: A large region is added if less than this share of it was found by its contrast; what lies in it by more is dropped.
MAX_COVERED = 0.5
#: ... but not a region whose contrast is at least this share of its uptake: a lesion in a large organ, which a fraction
#: of its maximum would flood.
STRONG = 0.4


#: Of the Gaussian that the scan is smoothed by.
SIGMA_MM = 3.0
#: Two maxima of contrast are one region if the pass between them has at least this share of the lower one.
PASS_FRACTION = 0.5


@dataclass(frozen=True)
class Contrast:
    """What stands out.

    Attributes:
        floor: SUV below which nothing is looked at.
        min_max: a region's contrast is at least this somewhere.
        min_share: and there it is at least this share of the background.
        fraction: of that maximum, down to which a region reaches.
        min_contrast: contrast of every voxel of a region.
        large: what is hot and added where it does not stand out.
    """

    floor: float
    min_max: float
    min_share: float
    fraction: float
    min_contrast: float
    large: Cut


def contrast_regions(volume: Volume, wanted: Contrast, min_voxels: int) -> list[MaskPatch]:
    """Find what stands out from its surroundings, and what is hot and large.

    Args:
        volume: the PET in SUV.
        wanted: what stands out.
        min_voxels: smaller regions are left out.

    Returns:
        Regions that do not overlap.
    """
    looked_at = Box.of_mask(volume.array_kji >= wanted.floor)
    if looked_at is None:
        return []
    box = looked_at.grown(np.ceil(BALL_MM / 2 / volume.spacing_mm[::-1]).astype(int)).clipped(volume.shape_kji)
    smooth = _smoothed(volume, box)
    contrast_kji = contrast_of(smooth, wanted.floor)
    cut = Cut(wanted.min_contrast, wanted.fraction, wanted.min_max)
    found = [
        (region, *_at_hottest(smooth.array_kji[region.slices], contrast_kji[region.slices], region.array_kji))
        for region in hot_regions(contrast_kji, cut, min_voxels, PASS_FRACTION)
    ]
    kept = [one for one in found if one[2] >= wanted.min_share * (one[1] - one[2])]
    strong = [contrast >= STRONG * value for _, value, contrast in kept]
    large = hot_regions(smooth.array_kji, wanted.large, min_voxels)
    joined = _joined(smooth.array_kji, [region for region, *_ in kept], strong, large, min_voxels)
    return [_shifted(region, box) for region in joined]


def _smoothed(volume: Volume, box: Box) -> Volume:
    """Return a box of a volume, smoothed."""
    matrix = volume.ijk_to_ras.copy()
    matrix[:3, 3] = volume.point_ras(box.low_kji)
    smooth = ndimage.gaussian_filter(volume.array_kji[box.slices], SIGMA_MM / volume.spacing_mm[::-1], mode="nearest")
    return Volume(smooth, matrix, volume.units)


def _at_hottest(values_kji: NDArray, contrast_kji: NDArray, mask_kji: NDArray[np.bool_]) -> tuple[float, float]:
    """Return value and contrast where the contrast of a region is greatest."""
    highest = int(np.where(mask_kji, contrast_kji, -np.inf).argmax())
    return float(values_kji.flat[highest]), float(contrast_kji.flat[highest])


def _shifted(region: MaskPatch, box: Box) -> MaskPatch:
    """Return a region of a box on the grid that the box was cut from."""
    k, j, i = (n + low for n, low in zip(region.offset_kji, box.low_kji, strict=True))
    return MaskPatch(region.array_kji, (k, j, i))


def _joined(
    array_kji: NDArray,
    small: Sequence[MaskPatch],
    strong: Sequence[bool],
    large: Sequence[MaskPatch],
    min_voxels: int,
) -> list[MaskPatch]:
    """Add the large regions of which little is found yet, in place of the weak ones that lie in them."""
    numbers = np.zeros(array_kji.shape, np.int32)
    for number, region in enumerate(small, start=1):
        numbers[region.slices][region.array_kji] = number
    sizes = np.array([0, *(region.voxels for region in small)])
    firm = np.array([False, *strong])
    added: list[MaskPatch] = []
    for region in large:
        found = numbers[region.slices][region.array_kji]
        hottest = int(array_kji[region.slices][region.array_kji].argmax())
        if firm[found[hottest]] or np.count_nonzero(found) >= MAX_COVERED * found.size:
            continue
        weak = np.flatnonzero((np.bincount(found, minlength=sizes.size) > MAX_COVERED * sizes) & ~firm)
        for number in weak[weak > 0]:
            of_weak = small[number - 1].slices
            numbers[of_weak][numbers[of_weak] == number] = 0
        free = region.array_kji & (numbers[region.slices] == 0)
        numbers[region.slices][free] = len(small) + 1 + len(added)
        added.append(MaskPatch.cropped(free, region.offset_kji))
    kept = [MaskPatch.cropped(numbers[r.slices] == n, r.offset_kji) for n, r in enumerate(small, start=1)]
    return [region for region in (*kept, *added) if region.voxels >= min_voxels]


def contrast_of(volume: Volume, floor: float) -> NDArray[np.float32]:
    """Return uptake above the background where the uptake itself reaches a floor, else 0.

    Args:
        volume: the PET in SUV.
        floor: SUV below which nothing is looked at.

    Returns:
        float32 (k, j, i).
    """
    factors = [
        min(max(1, round(COARSE_MM / step)), n)
        for step, n in zip(volume.spacing_mm, volume.shape_kji[::-1], strict=True)
    ]
    coarse = sitk.GetArrayFromImage(sitk.BinShrink(to_image(volume), factors))
    steps_kji = np.array(factors[::-1])
    background = _opened(coarse, float(BALL_MM / 2 / np.mean(volume.spacing_mm[::-1] * steps_kji)))
    background = ndimage.grey_dilation(background, footprint=ndimage.generate_binary_structure(3, 1), mode="nearest")
    contrast = np.zeros(volume.shape_kji, np.float32)
    where = np.nonzero(volume.array_kji >= floor)
    # A coarse voxel's centre lies in the middle of those that it covers.
    places = [(index - (step - 1) / 2) / step for index, step in zip(where, steps_kji, strict=True)]
    contrast[where] = volume.array_kji[where] - ndimage.map_coordinates(background, places, order=1, mode="nearest")
    return contrast


def _opened(array_kji: NDArray[np.float32], radius: float) -> NDArray[np.float32]:
    """Open an image by a nearly round body of a radius in voxels: a cube, widened by an octahedron step by step."""
    cube = max(1, round(CUBE_SHARE * radius))
    side = 3 * (2 * cube + 1,)
    octahedron = ndimage.generate_binary_structure(3, 1)
    steps = max(0, round(radius) - cube)
    opened = ndimage.grey_erosion(array_kji, size=side, mode="nearest")
    for _ in range(steps):
        opened = ndimage.grey_erosion(opened, footprint=octahedron, mode="nearest")
    for _ in range(steps):
        opened = ndimage.grey_dilation(opened, footprint=octahedron, mode="nearest")
    return ndimage.grey_dilation(opened, size=side, mode="nearest")
