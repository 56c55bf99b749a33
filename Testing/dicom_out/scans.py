"""A small PET series on disk with two targets in it, as results are made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from SegAnyPETLib.dicom_out.source import SourceSeries, read_source
from SegAnyPETLib.dicom_out.target import Algorithm, Target
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.pet.reading import PetScan, read_scan
from SegAnyPETLib.volume.segmentation import Segment
from Testing.dicom_fixtures import counting_voxels, write_series

ALGORITHM = Algorithm("random", "ab" * 32, "cpu", "9.8.7")


@dataclass(frozen=True, eq=False)
class SmallScan:
    """A series and what was read of it.

    Attributes:
        paths: the files in the order of the slices.
        scan: the PET in SUV.
        source: the headers.
    """

    paths: tuple[Path, ...]
    scan: PetScan
    source: SourceSeries

    def target(self, mask_kji: NDArray[np.bool_], name: str = "Liver lesion") -> Target:
        return Target(Segment(name, mask_kji), quantities(self.scan.volume, mask_kji), ALGORITHM)


def small_scan(
    folder: Path, shape_kji: tuple[int, int, int] = (5, 6, 7), edit: Callable[[FileDataset, int], None] | None = None
) -> SmallScan:
    """Write a series whose voxels all differ, and read it."""
    paths = write_series(folder, 1000 + 100 * counting_voxels(shape_kji), edit=edit)
    scan = read_scan(folder)
    return SmallScan(tuple(paths), scan, read_source(scan.volume, scan.files))


def block(
    shape_kji: tuple[int, int, int], k: tuple[int, int], j: tuple[int, int], i: tuple[int, int]
) -> NDArray[np.bool_]:
    """A mask of a box; bounds are first and last voxel but one."""
    mask_kji = np.zeros(shape_kji, bool)
    mask_kji[slice(*k), slice(*j), slice(*i)] = True
    return mask_kji
