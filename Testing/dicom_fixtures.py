"""Small synthetic PET series as DICOM files, with identifiers of our own making."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, PositronEmissionTomographyImageStorage, generate_uid

#: What the synthetic series says of the injection: 60 min before the scan, half-life of F-18.
WEIGHT_KG = 70.0
DOSE_BQ = 350e6
HALF_LIFE_S = 6588.0
UPTAKE_S = 3600.0
SUV_FACTOR = WEIGHT_KG * 1000.0 / (DOSE_BQ * 2.0 ** (-UPTAKE_S / HALF_LIFE_S))

PATIENT_NAME = "Phantom^Fictitious"
PATIENT_ID = "MADE-UP-0001"


def pet_slice(
    stored_ji: NDArray, position_lps: Sequence[float], slope: float = 1.0, series: str = "one"
) -> FileDataset:
    """A PET image of one slice, in becquerels per millilitre, corrected for decay to the start of the scan.

    Args:
        stored_ji: stored values (rows, columns), whole numbers.
        position_lps: centre of the first voxel, LPS mm.
        slope: rescale slope of this slice.
        series: files with the same text belong to the same series.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = PositronEmissionTomographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(
        entropy_srcs=[series, str(tuple(position_lps)), str(stored_ji.tolist())]
    )
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID = meta.MediaStorageSOPClassUID
    image.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    image.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    image.SeriesInstanceUID = generate_uid(entropy_srcs=["series", series])
    image.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
    image.PatientName, image.PatientID = PATIENT_NAME, PATIENT_ID
    image.Modality, image.Manufacturer = "PT", "Synthetic"
    image.SeriesDate = image.AcquisitionDate = "20200102"
    image.SeriesTime = image.AcquisitionTime = "110000.00"
    image.PatientWeight = str(WEIGHT_KG)
    image.Units, image.DecayCorrection = "BQML", "START"
    image.CorrectedImage = ["DECY", "ATTN", "SCAT"]
    dose = Dataset()
    dose.RadiopharmaceuticalStartTime = "100000.00"
    dose.RadionuclideTotalDose = str(DOSE_BQ)
    dose.RadionuclideHalfLife = str(HALF_LIFE_S)
    image.RadiopharmaceuticalInformationSequence = [dose]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.ImagePositionPatient = [float(part) for part in position_lps]
    image.PixelSpacing = [4.0, 5.0]
    image.RescaleSlope, image.RescaleIntercept = str(slope), "0"
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows, image.Columns = stored_ji.shape
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
    image.PixelData = stored_ji.astype("<i2").tobytes()
    return image


def write_series(
    folder: Path,
    stored_kji: NDArray,
    *,
    slice_mm: float = 3.0,
    slopes: Sequence[float] | None = None,
    series: str = "one",
    edit: Callable[[FileDataset, int], None] | None = None,
) -> list[Path]:
    """Write a series to a folder, one file per slice; file names run against the slices' order.

    Args:
        folder: made where it is not there.
        stored_kji: stored values; voxels of 5 x 4 x ``slice_mm`` mm (i, j, k), the first at LPS (-10, -20, -30).
        slice_mm: distance of the slices.
        slopes: rescale slope of each slice, 1 unless given.
        series: see `pet_slice`; also the beginning of the file names.
        edit: called with each image and its index before it is written.

    Returns:
        The paths in the order of the slices.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for k, stored in enumerate(stored_kji):
        image = pet_slice(stored, (-10.0, -20.0, -30.0 + k * slice_mm), 1.0 if slopes is None else slopes[k], series)
        if edit is not None:
            edit(image, k)
        path = folder / f"{series}-{len(stored_kji) - k:03d}.dcm"
        image.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def set_storage_class(image: FileDataset, storage: UID) -> None:
    """Make an image an object of another kind."""
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = storage


def counting_voxels(shape_kji: tuple[int, int, int] = (4, 3, 2)) -> NDArray:
    """Stored values that differ in every voxel: 1, 2, 3, ..."""
    return 1 + np.arange(np.prod(shape_kji), dtype=np.int16).reshape(shape_kji)
