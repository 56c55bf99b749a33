"""A whole-body series in memory: a trunk in air with known SUV, as read from DICOM files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydicom.dataset import Dataset

from SegAnyPETLib.volume.dicom.grid import ijk_to_ras_of
from SegAnyPETLib.volume.dicom.header import without_identifiers
from SegAnyPETLib.volume.dicom.series import Series
from SegAnyPETLib.volume.units import BQML_UNITS, Units
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_fixtures import SUV_FACTOR, pet_slice

#: Slice distance, row and column spacing in mm: 4 slices hold a trunk of 51 litres.
SPACING_MM = (100.0, 40.0, 40.0)
#: True SUV (k, j, i), 0.9 in the trunk with a hot bladder: 0.72 of the dose of 70 kg.
SUV = np.zeros((4, 12, 14))
SUV[:, 2:10, 2:12] = 0.9
SUV[1, 6, 7] = 26.0


def slices(suv: np.ndarray = SUV, factor: float = SUV_FACTOR) -> list[Dataset]:
    """Make the images of a series in Bq/ml, with all tags that a scanner writes.

    Args:
        suv: true values (k, j, i).
        factor: from Bq/ml to SUV by the tags of `pet_slice`.
    """
    images: list[Dataset] = []
    for k, plane in enumerate(suv):
        slope = max(float(plane.max()), 1e-6) / factor / 32000
        stored = np.rint(plane / factor / slope)
        image = pet_slice(stored, (-260.0, -220.0, k * SPACING_MM[0]), slope=float(f"{slope:.9g}"))
        image.PixelSpacing = [SPACING_MM[1], SPACING_MM[2]]
        image.PatientSize = "1.75"
        image.FrameReferenceTime, image.ActualFrameDuration = "90000", "180000"
        dose = image.RadiopharmaceuticalInformationSequence[0]
        dose.RadiopharmaceuticalStartDateTime = "20200102100000.00"
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "77004003", "SCT", "^18^Fluorine"
        dose.RadionuclideCodeSequence = [code]
        images.append(image)
    return images


def as_read(images: Sequence[Dataset], change: Callable[[Dataset, int], None] = lambda image, k: None) -> Series:
    """Change images and take them for a series that was read from files."""
    headers, planes = [], []
    for k, image in enumerate(images):
        change(image, k)
        stored = np.frombuffer(image.PixelData, "<i2").reshape(image.Rows, image.Columns)
        planes.append(stored * float(image.RescaleSlope) + float(image.RescaleIntercept))
        headers.append(without_identifiers(image))
    units: Units = BQML_UNITS if all(header.get("Units") == "BQML" for header in headers) else ""
    return Series(Volume(np.array(planes, np.float32), ijk_to_ras_of(headers), units), tuple(headers))
