"""The lesions of a patient, cropped, so that hundreds of them in a large scan cost little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.quantities import PEAK_RADIUS_MM, Quantities, quantities, suv_peak_local
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: Voxels that touch by a corner belong to one lesion, as in the scoring of lesion detection.
_ALL_NEIGHBOURS = np.ones((3, 3, 3), dtype=int)


@dataclass(frozen=True, eq=False)
class Lesion:
    """One lesion of a scan.

    Attributes:
        number: from 1, as tables and pictures show it.
        name: of the segment that it comes from, "" if it has none.
        region: its voxels on the scan's grid.
        measured: its quantities.
        suv_peak_local: mean of the sphere of 1 ml around its hottest voxel.
        center_ras: mean of its voxels' centres, RAS mm.
        hottest_ras: centre of its hottest voxel, RAS mm.
    """

    number: int
    name: str
    region: MaskPatch
    measured: Quantities
    suv_peak_local: float
    center_ras: tuple[float, float, float]
    hottest_ras: tuple[float, float, float]

    def times(self, factor: float) -> Lesion:
        """Return the lesion of an image whose values are so many times as large."""
        return replace(self, measured=self.measured.times(factor), suv_peak_local=factor * self.suv_peak_local)


def regions_of(labels_kji: NDArray) -> list[MaskPatch]:
    """Return the lesions of a label map: each value is one; a map with a single value, or of bool, is split.

    Args:
        labels_kji: bool, or integers from 0 (k, j, i), 0 where there is no lesion.

    Returns:
        The lesions in the order of their values; connected parts in the order of the grid.
    """
    box = Box.of_mask(labels_kji)
    if box is None:
        return []
    labels: NDArray = labels_kji[box.slices].astype(np.int32)
    boxes = ndimage.find_objects(labels)
    if sum(part is not None for part in boxes) == 1:
        labels, _ = ndimage.label(labels, structure=_ALL_NEIGHBOURS)
        boxes = ndimage.find_objects(labels)
    return [
        MaskPatch.cropped(
            labels[part] == value,
            _three_counts(start.start + low for start, low in zip(part, box.low_kji, strict=True)),
        )
        for value, part in enumerate(boxes, start=1)
        if part is not None
    ]


def measured_lesions(volume: Volume, regions: Sequence[MaskPatch], names: Sequence[str] = ()) -> tuple[Lesion, ...]:
    """Measure lesions, and number them from the largest down.

    Args:
        volume: the PET; values are taken as SUV.
        regions: on its grid, each with at least one voxel.
        names: of the regions; none, or one for each.

    Raises:
        InputError: there is no lesion.
    """
    if not regions:
        raise InputError("the mask has no lesion, there is nothing to measure; give a mask with at least one voxel")
    named = list(zip(regions, names or [""] * len(regions), strict=True))
    named.sort(key=lambda pair: -pair[0].voxels)
    return tuple(_measured(volume, number, region, name) for number, (region, name) in enumerate(named, start=1))


def _measured(volume: Volume, number: int, region: MaskPatch, name: str) -> Lesion:
    # The spheres of SUVpeak reach this far beyond the lesion.
    reach = np.ceil(PEAK_RADIUS_MM / volume.spacing_mm[::-1]).astype(int)
    box = region.box.grown(reach).clipped(volume.shape_kji)
    around, mask = cropped(volume, box), region.within(box)
    indices = np.argwhere(mask)
    hottest = indices[int(around.array_kji[mask].argmax())]
    return Lesion(
        number,
        name,
        region,
        quantities(around, mask),
        suv_peak_local(around, mask),
        _three(around.point_ras(indices.mean(axis=0))),
        _three(around.point_ras(hottest)),
    )


def cropped(volume: Volume, box: Box) -> Volume:
    """Return a box of a volume as a volume of its own, at its position."""
    matrix = volume.ijk_to_ras.copy()
    matrix[:3, 3] = volume.point_ras(box.low_kji)
    return Volume(volume.array_kji[box.slices], matrix, volume.units)


def _three_counts(counts: Iterable[int]) -> tuple[int, int, int]:
    k, j, i = counts
    return k, j, i


def _three(point: NDArray) -> tuple[float, float, float]:
    r, a, s = (float(c) for c in point)
    return r, a, s
