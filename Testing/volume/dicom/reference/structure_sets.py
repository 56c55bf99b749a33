"""Small structure sets, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from SegAnyPETLib.volume.volume import Volume

FRAME = generate_uid(entropy_srcs=["frame"])  # that of Testing.dicom_fixtures


def square(i: tuple[float, float], j: tuple[float, float], k: float) -> NDArray:
    """Corners (k, j, i) of a rectangle between two columns and two rows of a slice."""
    return np.array([(k, j[0], i[0]), (k, j[0], i[1]), (k, j[1], i[1]), (k, j[1], i[0])])


def structure_set(
    image: Volume, regions: Mapping[str, Sequence[NDArray]], kind: str = "CLOSED_PLANAR", frame: str = FRAME
) -> FileDataset:
    """A structure set of regions whose contours are given as corners (k, j, i) in voxels of an image."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = RTStructureSetStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID, made.Modality = meta.MediaStorageSOPClassUID, "RTSTRUCT"
    made.StructureSetROISequence, made.ROIContourSequence = [], []
    for number, (name, contours_kji) in enumerate(regions.items(), start=1):
        described, drawn = Dataset(), Dataset()
        described.ROINumber = drawn.ReferencedROINumber = number
        described.ROIName, described.ReferencedFrameOfReferenceUID = name, frame
        drawn.ContourSequence = []
        for corners in contours_kji:
            contour = Dataset()
            contour.ContourGeometricType = kind
            points_lps = image.point_ras(corners) * (-1, -1, 1)
            contour.ContourData = [f"{part:.6f}" for part in points_lps.ravel()]
            drawn.ContourSequence.append(contour)
        made.StructureSetROISequence.append(described)
        made.ROIContourSequence.append(drawn)
    return made


def write(dataset: FileDataset, folder: Path) -> Path:
    path = folder / "contours.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path
