"""Agreement of a mask with a reference: overlap, surface agreement, falsely found and missed volume.

Everything is computed on the box that holds both masks, which changes no value: nothing outside that box belongs to
either surface or to any component. What lies outside the volume counts as background, so a mask that touches the
border of the volume has a surface there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np
from monai.metrics import get_mask_edges, get_surface_distance
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.volume import Volume

#: Faces and edges join voxels, corners do not: the 18-connectivity of the autoPET challenge.
CONNECTIVITY_18 = ndimage.generate_binary_structure(3, 2)

#: Spacings are rounded in file headers; a surface that far beyond a tolerance is within it.
DISTANCE_ROUNDING_MM = 1e-4


@dataclass(frozen=True)
class Scores:
    """Agreement of a prediction with a reference.

    Where one of the two masks is empty, Dice and surface Dice are 0 and HD95 is NaN, because no distance exists; where
    both are empty, all three are NaN. False volumes are always defined.

    Attributes:
        dice: Dice similarity coefficient of the voxels, 0 to 1.
        nsd_2mm: surface Dice at a tolerance of 2 mm, 0 to 1.
        nsd_4mm: the same at 4 mm.
        hd95_mm: 95th percentile of the symmetric Hausdorff distance in mm.
        fpv_ml: volume of the prediction's components that do not touch the reference.
        fnv_ml: volume of the reference's components that the prediction does not touch.
    """

    dice: float
    nsd_2mm: float
    nsd_4mm: float
    hd95_mm: float
    fpv_ml: float
    fnv_ml: float


def score(prediction_kji: NDArray, reference: Volume) -> Scores:
    """All metrics of a prediction.

    Args:
        prediction_kji: bool array (k, j, i) on the reference's grid.
        reference: bool volume.

    Raises:
        InputError: the prediction is not on the reference's grid.
    """
    if prediction_kji.shape != reference.array_kji.shape:
        raise InputError(f"a mask of shape {prediction_kji.shape} does not fit the reference {reference.shape_kji}")
    predicted, expected = crop_to_union(prediction_kji, reference.array_kji)
    spacing_kji_mm = reference.spacing_mm[::-1]
    nsd_2mm, nsd_4mm = surface_dice(predicted, expected, spacing_kji_mm, (2.0, 4.0))
    return Scores(
        dice=dice(predicted, expected),
        nsd_2mm=nsd_2mm,
        nsd_4mm=nsd_4mm,
        hd95_mm=hausdorff_95(predicted, expected, spacing_kji_mm),
        fpv_ml=untouched_voxels(predicted, expected) * reference.voxel_ml,
        fnv_ml=untouched_voxels(expected, predicted) * reference.voxel_ml,
    )


def crop_to_union(first_kji: NDArray, second_kji: NDArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Cut two masks of one shape (k, j, i) to the smallest box that holds both (one voxel if both are empty)."""
    boxes = [box for box in (Box.of_mask(first_kji), Box.of_mask(second_kji)) if box is not None]
    box = reduce(Box.join, boxes) if boxes else Box((0, 0, 0), (1, 1, 1))
    return first_kji[box.slices].astype(bool), second_kji[box.slices].astype(bool)


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Dice similarity coefficient of two masks of one shape; 0 where one is empty, NaN where both are."""
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 2.0 * int(np.count_nonzero(first & second)) / int(total) if total else math.nan


def surface_dice(
    first: NDArray[np.bool_], second: NDArray[np.bool_], spacing_kji_mm: NDArray, tolerances_mm: tuple[float, ...]
) -> list[float]:
    """Fraction of both surfaces that lies within a tolerance of the other one, weighted by area.

    The surface passes between voxels, as in Nikolov et al. 2018 (arXiv 1809.04430); MONAI finds its elements and areas.

    Args:
        first: mask (k, j, i).
        second: mask of the same shape.
        spacing_kji_mm: voxel size along k, j and i.
        tolerances_mm: one result for each.

    Returns:
        Values from 0 to 1; 0 where one mask is empty, NaN where both are.
    """
    if not (first.any() and second.any()):
        return [0.0 if first.any() or second.any() else math.nan] * len(tolerances_mm)
    spacing = tuple(float(s) for s in spacing_kji_mm)
    first_edge, second_edge, first_area, second_area = get_mask_edges(first, second, spacing=spacing)
    areas = np.concatenate([first_area[first_edge], second_area[second_edge]]).astype(np.float64)
    points = [np.argwhere(edge) * spacing_kji_mm for edge in (first_edge, second_edge)]
    # Looking no farther than the largest tolerance is what keeps this quick where the masks lie far apart.
    limit_mm = max(tolerances_mm) + 2 * DISTANCE_ROUNDING_MM
    distances_mm = np.concatenate(
        [cKDTree(b).query(a, distance_upper_bound=limit_mm)[0] for a, b in (points, points[::-1])]
    )
    return [float(areas[distances_mm <= t + DISTANCE_ROUNDING_MM].sum() / areas.sum()) for t in tolerances_mm]


def hausdorff_95(first: NDArray[np.bool_], second: NDArray[np.bool_], spacing_kji_mm: NDArray) -> float:
    """Return the larger 95th percentile of the distances from surface voxels of either mask to those of the other.

    Args:
        first: mask (k, j, i).
        second: mask of the same shape.
        spacing_kji_mm: voxel size along k, j and i.

    Returns:
        Distance in mm; NaN where a mask is empty.
    """
    if not (first.any() and second.any()):
        return math.nan
    spacing = tuple(float(s) for s in spacing_kji_mm)
    edges = get_mask_edges(first, second)
    pairs = (edges, edges[::-1])
    return max(float(np.percentile(get_surface_distance(a, b, spacing=spacing), 95)) for a, b in pairs)


def untouched_voxels(mask: NDArray[np.bool_], other: NDArray[np.bool_]) -> int:
    """Voxels of a mask's 18-connected components that share no voxel with another mask of the same shape.

    With (prediction, reference) it gives autoPET's false-positive volume, with (reference, prediction) its
    false-negative volume (Gatidis et al. 2022, doi 10.1038/s41597-022-01718-3), in voxels.
    """
    labels, count = ndimage.label(mask, structure=CONNECTIVITY_18)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    sizes[np.unique(labels[other])] = 0
    return int(sizes.sum())
