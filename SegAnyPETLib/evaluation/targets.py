"""The targets of a case, and what makes them easy or hard."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.evaluation.metrics import CONNECTIVITY_18
from SegAnyPETLib.evaluation.results import TargetFacts
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: The background of a target lies between these distances from it; nearer voxels hold what the scanner blurs.
BACKGROUND_MM = (6.0, 15.0)


@dataclass(frozen=True, eq=False)
class Target:
    """A target and its reference.

    Attributes:
        facts: what is known of it.
        mask: the reference, on the image's grid.
    """

    facts: TargetFacts
    mask: MaskPatch

    def reference(self, image: Volume) -> Volume:
        """Return the reference on the whole grid of the image."""
        return image.with_array(self.mask.to_array(image.shape_kji))


def targets_of(case: str, image: Volume, labels: Volume, split: bool) -> list[Target]:
    """Find the targets of a case: each positive value of its label map, or each connected part of one.

    Args:
        case: its id.
        image: the PET.
        labels: label map on its grid.
        split: whether each connected part, over faces and edges, is a target of its own.
    """
    numbered = np.zeros(labels.shape_kji, np.int32)
    masks = list(_masks(labels.array_kji, split))
    for number, (_, _, mask, _) in enumerate(masks, start=1):
        numbered[mask.slices][mask.array_kji] = number
    return [
        Target(_facts(case, image, numbered, number, label, component, mask, components), mask)
        for number, (label, component, mask, components) in enumerate(masks, start=1)
    ]


def _masks(labels_kji: NDArray, split: bool) -> Iterator[tuple[int, int, MaskPatch, int]]:
    """Label, component, mask and number of connected parts of each target."""
    for value in np.unique(labels_kji):
        if value <= 0:
            continue
        whole = MaskPatch.cropped(labels_kji == value)
        parts, count = ndimage.label(whole.array_kji, CONNECTIVITY_18)
        if not split:
            yield int(value), 0, whole, count
            continue
        for component in range(1, count + 1):
            yield int(value), component, MaskPatch.cropped(parts == component, whole.offset_kji), 1


def _facts(
    case: str,
    image: Volume,
    numbered: NDArray,
    number: int,
    label: int,
    component: int,
    mask: MaskPatch,
    components: int,
) -> TargetFacts:
    volume_ml = mask.voxels * image.voxel_ml
    touches, ratio = touching(numbered, number, mask), contrast(image, numbered, mask)
    return TargetFacts(case, label, component, volume_ml, components, touches, ratio)


def touching(numbered: NDArray, number: int, mask: MaskPatch) -> bool:
    """Whether a target shares a face or an edge with another one.

    Args:
        numbered: array (k, j, i) that holds the number of a target in each of its voxels, else 0.
        number: of the target.
        mask: the target.
    """
    box = mask.box.grown(1).clipped(numbered.shape)
    near = ndimage.binary_dilation(mask.within(box), CONNECTIVITY_18)
    return bool(np.any(~np.isin(numbered[box.slices][near], (0, number))))


def contrast(image: Volume, numbered: NDArray, mask: MaskPatch) -> float:
    """Return the mean of a target over the median of what lies 6 to 15 mm from it and belongs to no target.

    Args:
        image: the PET.
        numbered: array (k, j, i) that is not 0 in the voxels of all targets.
        mask: the target.

    Returns:
        NaN if nothing lies around it, infinity if that is zero or below.
    """
    spacing_kji_mm = image.spacing_mm[::-1]
    box: Box = mask.box.grown(np.ceil(BACKGROUND_MM[1] / spacing_kji_mm).astype(int)).clipped(image.shape_kji)
    inside = mask.within(box)
    away_mm = ndimage.distance_transform_edt(~inside, sampling=spacing_kji_mm)
    around = (away_mm >= BACKGROUND_MM[0]) & (away_mm <= BACKGROUND_MM[1]) & (numbered[box.slices] == 0)
    if not around.any():
        return math.nan
    values = image.array_kji[box.slices]
    background = float(np.median(values[around]))
    return float(values[inside].mean(dtype=np.float64)) / background if background > 0 else math.inf
