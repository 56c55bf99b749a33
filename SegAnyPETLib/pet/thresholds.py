"""The classical ways to segment uptake from one click: relative, fixed and background-adapted thresholds, a watershed.

Every method takes the image and a click and answers the face-connected region that it finds there. All but the fixed
thresholds start from the hottest voxel within 7 mm of the click.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.pet.hottest import hottest_near
from SegAnyPETLib.pet.nearby import distances_around, index_in
from SegAnyPETLib.pet.quantities import PEAK_RADIUS_MM
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

Method = Callable[[Volume, Point], NDArray[np.bool_]]

#: A click into a cold core still means the uptake around it, if a voxel of a fixed threshold lies within this distance.
REACH_MM = 30.0

#: What lies above this fraction of the hottest voxel is surely inside; the local background is sought around it.
CORE_FRACTION = 0.7
BACKGROUND_SHELL_MM = (20.0, 25.0)

#: Regions are first sought this many voxels around their seed.
FIRST_HALF_VOXELS = 32

#: The watershed looks at most this far beyond the core, at gradients blurred about as much as a PET scanner blurs.
WATERSHED_MARGIN_MM = 40.0
WATERSHED_SIGMA_MM = 3.0
GRADIENT_LEVELS = 65535


def relative_threshold(volume: Volume, point: Point, fraction: float) -> NDArray[np.bool_]:
    """Segment the voxels of at least a fraction of the local maximum, connected to it.

    41 % and 50 % of the maximum are the isocontours of the EANM guideline (Boellaard et al. 2015,
    doi 10.1007/s00259-014-2961-x).

    Args:
        volume: the image.
        point: the click in RAS mm; its sign is not looked at.
        fraction: of the hottest voxel near the click.

    Returns:
        Bool array (k, j, i) on the image's grid.

    Raises:
        InputError: the click lies outside the volume.
    """
    seed_kji = hottest_near(volume, point)
    region = connected_region(volume.array_kji, seed_kji, fraction * float(volume.array_kji[seed_kji]))
    return region.to_array(volume.shape_kji)


def fixed_threshold(volume: Volume, point: Point, value: float) -> NDArray[np.bool_]:
    """Segment the voxels of at least a given value, connected to the nearest such voxel within 30 mm of the click.

    Args:
        volume: the image in units of the threshold, for SUV thresholds body-weight SUV.
        point: the click in RAS mm; its sign is not looked at.
        value: the threshold.

    Returns:
        Bool array (k, j, i) on the image's grid; empty where no voxel near the click reaches the threshold.

    Raises:
        InputError: the click lies outside the volume.
    """
    box, distance_mm = distances_around(volume, volume.nearest_kji(point.ras), REACH_MM)
    eligible = (volume.array_kji[box.slices] >= value) & (distance_mm <= REACH_MM)
    if not eligible.any():
        return np.zeros(volume.shape_kji, dtype=bool)
    nearest = int(np.where(eligible, distance_mm, np.inf).argmin())
    return connected_region(volume.array_kji, index_in(box, nearest), value).to_array(volume.shape_kji)


def adapted_threshold(volume: Volume, point: Point) -> NDArray[np.bool_]:
    """A50P: voxels above the middle between SUVpeak and the local background, connected to the local maximum.

    Half of the sum of SUVpeak and background is the threshold of the MUST-segmenter (Keijzer et al., PMC9900370) and,
    as "50 % of SUVpeak with local background correction", of Burggraaff et al. 2020. Tools differ in where they take
    the two: here SUVpeak is the mean in the 1 ml sphere at the local maximum, and the background is the median 20 to
    25 mm beyond the region of at least 70 % of that maximum.

    Args:
        volume: the image.
        point: the click in RAS mm; its sign is not looked at.

    Returns:
        Bool array (k, j, i) on the image's grid; empty where the threshold lies above the local maximum.

    Raises:
        InputError: the click lies outside the volume.
    """
    seed_kji = hottest_near(volume, point)
    threshold = 0.5 * (peak_at(volume, seed_kji) + background_around(volume, core_of(volume, seed_kji)))
    return connected_region(volume.array_kji, seed_kji, threshold).to_array(volume.shape_kji)


def gradient_watershed(volume: Volume, point: Point) -> NDArray[np.bool_]:
    """Segment the basin of the local maximum in the gradient magnitude: its border is where uptake falls off steepest.

    A marker-controlled watershed, one of the gradient methods of AAPM Task Group 211 (Hatt et al. 2017,
    doi 10.1002/mp.12124). Inside are the voxels of at least 70 % of the local maximum that are connected to it,
    outside are the voxels at or below the local background and the faces of the box 40 mm around.

    Args:
        volume: the image.
        point: the click in RAS mm; its sign is not looked at.

    Returns:
        Bool array (k, j, i) on the image's grid.

    Raises:
        InputError: the click lies outside the volume.
    """
    core = core_of(volume, hottest_near(volume, point))
    box = _box_around(volume, core, WATERSHED_MARGIN_MM)
    values = volume.array_kji[box.slices].astype(np.float32)
    inside = core.within(box)
    markers = np.where((values <= background_around(volume, core)) | _faces(values.shape), 2, 0).astype(np.uint8)
    markers[inside] = 1
    gradient = gradient_magnitude(values, WATERSHED_SIGMA_MM / volume.spacing_mm[::-1])
    # The filter keeps a queue per grey value: with whole numbers it is ten times as fast as with floats.
    steepest = float(gradient.max())
    levels = np.rint(gradient.astype(np.float64) / steepest * GRADIENT_LEVELS) if steepest > 0 else gradient
    basins = sitk.MorphologicalWatershedFromMarkers(
        sitk.GetImageFromArray(levels.astype(np.uint16)), sitk.GetImageFromArray(markers), markWatershedLine=False
    )
    region = np.zeros(volume.shape_kji, dtype=bool)
    region[box.slices] = sitk.GetArrayFromImage(basins) == 1
    return region


#: Name -> method, in the order in which reports list them.
METHODS: dict[str, Method] = {
    "41%": partial(relative_threshold, fraction=0.41),
    "50%": partial(relative_threshold, fraction=0.5),
    "SUV 2.5": partial(fixed_threshold, value=2.5),
    "SUV 4": partial(fixed_threshold, value=4.0),
    "A50P": adapted_threshold,
    "gradient": gradient_watershed,
}


def connected_region(array_kji: NDArray, seed_kji: tuple[int, int, int], threshold: float) -> MaskPatch:
    """Segment the voxels of at least a threshold connected to a seed over faces; empty if the seed is below it.

    Only a box around the seed is looked at, which grows until the region does not reach its faces, so that small
    regions in large volumes cost little and the result is exact.
    """
    if array_kji[seed_kji] < threshold:
        return MaskPatch.empty()
    half = FIRST_HALF_VOXELS
    while True:
        box = Box.around(seed_kji, 3 * (half,)).clipped(array_kji.shape)
        labels, _ = ndimage.label(array_kji[box.slices] >= threshold)
        part = labels == labels[tuple(s - low for s, low in zip(seed_kji, box.low_kji, strict=True))]
        if not _reaches_inner_face(part, box, array_kji.shape):
            return MaskPatch.cropped(part, box.low_kji)
        half *= 2


def core_of(volume: Volume, seed_kji: tuple[int, int, int]) -> MaskPatch:
    """Segment the region of at least 70 % of a local maximum that is connected to it; it always holds the maximum."""
    hottest = float(volume.array_kji[seed_kji])
    return connected_region(volume.array_kji, seed_kji, min(CORE_FRACTION * hottest, hottest))


def peak_at(volume: Volume, center_kji: tuple[int, int, int]) -> float:
    """Return the mean of the voxels whose centres lie in the 1 ml sphere around a voxel."""
    box, distance_mm = distances_around(volume, center_kji, PEAK_RADIUS_MM)
    return float(volume.array_kji[box.slices][distance_mm <= PEAK_RADIUS_MM].mean(dtype=np.float64))


def background_around(volume: Volume, core: MaskPatch) -> float:
    """Median 20 to 25 mm beyond a region; where the volume ends before, of the farthest voxels that it has."""
    near_mm, far_mm = BACKGROUND_SHELL_MM
    box = _box_around(volume, core, far_mm)
    distance_mm = ndimage.distance_transform_edt(~core.within(box), sampling=volume.spacing_mm[::-1])
    near_mm = min(near_mm, float(distance_mm.max()))
    return float(np.median(volume.array_kji[box.slices][(distance_mm >= near_mm) & (distance_mm <= far_mm)]))


def gradient_magnitude(values: NDArray[np.float32], sigma_kji: NDArray) -> NDArray[np.float32]:
    """Return the magnitude of the Gaussian gradient per sigma, so that the axes weigh equally in mm.

    Args:
        values: array (k, j, i).
        sigma_kji: Gaussian sigma along k, j and i in voxels.
    """
    slopes = [
        ndimage.gaussian_filter(values, sigma_kji, order=np.eye(3, dtype=int)[a]) * sigma_kji[a] for a in range(3)
    ]
    return np.sqrt(sum(slope**2 for slope in slopes)).astype(np.float32)


def _box_around(volume: Volume, region: MaskPatch, margin_mm: float) -> Box:
    reach = np.ceil(margin_mm / volume.spacing_mm[::-1]).astype(int)
    return region.box.grown(reach).clipped(volume.shape_kji)


def _faces(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    faces = np.ones(shape, dtype=bool)
    faces[1:-1, 1:-1, 1:-1] = False
    return faces


def _reaches_inner_face(part: NDArray[np.bool_], box: Box, shape: tuple[int, ...]) -> bool:
    """Return whether a region touches a face of its box that is not also a face of the volume."""
    for axis, (low, high, length) in enumerate(zip(box.low_kji, box.high_kji, shape, strict=True)):
        first, last = np.take(part, 0, axis=axis), np.take(part, -1, axis=axis)
        if (low > 0 and first.any()) or (high < length and last.any()):
            return True
    return False
