"""Total metabolic tumour volume by several threshold methods beside each other, for the lesions of a mask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.pet.burden.lesions import Lesion, cropped
from SegAnyPETLib.pet.thresholds import METHODS
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.volume import Volume

#: Those that are compared: all but the watershed, which is no threshold.
COMPARED = tuple(name for name in METHODS if name != "gradient")
#: A method's region ends this far beyond the mask, so that it does not run into organs beside a lesion.
MARGIN_MM = 15.0
#: What a method sees of the scan around a lesion: the margin and the shell of A50P's background.
SIGHT_MM = 40.0


def mtv_by_method(volume: Volume, lesions: Sequence[Lesion]) -> dict[str, float]:
    """Return the total volume in ml that each method gives the lesions of a mask.

    Each method starts at a lesion's hottest voxel. Of its region those voxels count that lie within 15 mm of the
    lesion and nearer to it than to any other, so that nothing counts twice.

    Args:
        volume: the PET in SUV.
        lesions: of the mask.
    """
    totals = dict.fromkeys(COMPARED, 0.0)
    for lesion in lesions:
        reach = np.ceil(SIGHT_MM / volume.spacing_mm[::-1]).astype(int)
        box = lesion.region.box.grown(reach).clipped(volume.shape_kji)
        around, own = cropped(volume, box), _own(volume, lesion, lesions, box)
        for name in COMPARED:
            region = METHODS[name](around, Point(lesion.hottest_ras))
            totals[name] += int(np.count_nonzero(region & own)) * volume.voxel_ml
    return totals


def _own(volume: Volume, lesion: Lesion, lesions: Sequence[Lesion], box: Box) -> NDArray[np.bool_]:
    """Return the voxels of a box that are within the margin of a lesion and nearer to it than to the others."""
    numbers = np.zeros(box.shape_kji, np.int32)
    for other in lesions:
        if not other.region.box.meet(box).empty:
            numbers[other.region.within(box)] = other.number
    numbers[lesion.region.within(box)] = lesion.number
    distance_mm, nearest = ndimage.distance_transform_edt(
        numbers == 0, sampling=volume.spacing_mm[::-1], return_indices=True
    )
    return (numbers[tuple(nearest)] == lesion.number) & (distance_mm <= MARGIN_MM)
