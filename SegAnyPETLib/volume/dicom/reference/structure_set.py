"""The regions of a DICOM RTSTRUCT (DICOM PS3.3, C.8.8.5 and C.8.8.6)."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom.reference.filling import filled
from SegAnyPETLib.volume.dicom.reference.region import Region, Regions
from SegAnyPETLib.volume.volume import Volume

#: Contours that enclose something; points and open lines do not.
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])


def regions_of(dataset: Dataset, image: Volume) -> Regions:
    """Return the regions that have closed contours.

    Args:
        dataset: the structure set.
        image: the PET.

    Raises:
        InputError: there is none, or coordinates are missing.
    """
    described = {int(item.ROINumber): item for item in dataset.get("StructureSetROISequence") or []}
    regions, frames = [], set()
    for item in dataset.get("ROIContourSequence") or []:
        contours_ras = _contours(item)
        region = described.get(int(item.ReferencedROINumber))
        if region is None or not contours_ras:
            continue
        name = str(region.get("ROIName", ""))
        regions.append(Region(name, partial(filled, contours_ras, image, name)))
        frames.add(str(region.get("ReferencedFrameOfReferenceUID", "")))
    if not regions:
        raise InputError("the structure set holds no closed contours; export the regions as contours")
    if len(frames) > 1:
        raise InputError("the regions of the structure set lie in several frames of reference; export those of the PET")
    return Regions(regions, frames.pop())


def _contours(item: Dataset) -> list[NDArray[np.float64]]:
    """Corners (N, 3), RAS mm, of the closed contours of a region."""
    found = []
    for contour in item.get("ContourSequence") or []:
        if contour.get("ContourGeometricType") not in CLOSED:
            continue
        numbers = np.array(contour.ContourData, dtype=np.float64)
        if numbers.size % 3 or not np.isfinite(numbers).all():
            raise InputError("a contour of the structure set is damaged; export it again")
        if numbers.size >= 9:
            found.append(numbers.reshape(-1, 3) * LPS_TO_RAS)
    return found
