"""DICOM RTSTRUCT: the masks of targets as closed contours in the slices of the PET (DICOM PS3.3, A.19)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.coding import Code
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from SegAnyPETLib.dicom_out.checks import check_targets
from SegAnyPETLib.dicom_out.contours import contours_of
from SegAnyPETLib.dicom_out.equipment import (
    CONTOUR_SERIES,
    FOR_RESEARCH,
    MANUFACTURER,
    MODEL_NAME,
    QUALIFICATION,
    SERIAL_NUMBER,
)
from SegAnyPETLib.dicom_out.making import making
from SegAnyPETLib.dicom_out.source import MAY_BE_EMPTY, SourceSeries
from SegAnyPETLib.dicom_out.target import MAX_CHARACTERS, Target, terminology_of
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.volume.box import Box

#: What is said of the patient besides what must be.
FURTHER = ("PatientAge", "PatientSize", "PatientWeight", "StudyDescription", "PatientIdentityRemoved")
#: "Detached Study Management", retired, which structure sets name as the class of a study (DICOM PS3.3, C.8.8.5).
STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"


def structure_set_of(source: SourceSeries, targets: Sequence[Target]) -> FileDataset:
    """Make a DICOM RTSTRUCT with one region of interest per target.

    Args:
        source: the PET.
        targets: at least one; masks on the PET's grid, each with a voxel.

    Returns:
        The object; its contours run along the edges of the voxels, in the planes of the PET's slices.

    Raises:
        InputError: a mask has no voxel or does not fit the grid, or the tags of the series do not allow it.
    """
    check_targets(source, targets)
    with making("DICOM RTSTRUCT"):
        made = _empty_object(source, targets[0].algorithm.version)
        made.ReferencedFrameOfReferenceSequence = [_referenced(source)]
        numbered = list(enumerate(targets, start=1))
        made.StructureSetROISequence = [_region(n, target, source) for n, target in numbered]
        made.ROIContourSequence = [_contours(n, target, source) for n, target in numbered]
        made.RTROIObservationsSequence = [_observation(n, target) for n, target in numbered]
        return made


def _empty_object(source: SourceSeries, version: str) -> FileDataset:
    """Make the object without its regions."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = RTStructureSetStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(prefix=None)
    # Contours may be longer than the 64 KB that explicit representations of decimal strings can have.
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    for keyword in ("SpecificCharacterSet", "StudyInstanceUID", "FrameOfReferenceUID", *MAY_BE_EMPTY, *FURTHER):
        if keyword in source.first:
            made[keyword] = source.first[keyword]
    made.SOPClassUID = meta.MediaStorageSOPClassUID
    made.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    made.ContentQualification = QUALIFICATION
    made.Modality = "RTSTRUCT"
    made.SeriesInstanceUID = generate_uid(prefix=None)
    made.SeriesNumber = CONTOUR_SERIES
    made.SeriesDescription = f"Contours, {FOR_RESEARCH}"
    made.InstanceNumber = 1
    made.OperatorsName = made.PositionReferenceIndicator = ""
    made.Manufacturer = MANUFACTURER
    made.ManufacturerModelName = MODEL_NAME
    made.DeviceSerialNumber = SERIAL_NUMBER
    made.SoftwareVersions = version
    made.StructureSetLabel = MODEL_NAME
    made.StructureSetDescription = NOTICE
    now = datetime.now()
    made.StructureSetDate = made.InstanceCreationDate = now.strftime("%Y%m%d")
    made.StructureSetTime = made.InstanceCreationTime = now.strftime("%H%M%S")
    made.ApprovalStatus = "UNAPPROVED"
    return made


def _referenced(source: SourceSeries) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = source.first.SeriesInstanceUID
    series.ContourImageSequence = [_image(header) for header in source.headers]
    study = Dataset()
    study.ReferencedSOPClassUID = STUDY_CLASS
    study.ReferencedSOPInstanceUID = source.first.StudyInstanceUID
    study.RTReferencedSeriesSequence = [series]
    frame = Dataset()
    frame.FrameOfReferenceUID = source.first.FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    return frame


def _image(header: Dataset) -> Dataset:
    image = Dataset()
    image.ReferencedSOPClassUID = header.SOPClassUID
    image.ReferencedSOPInstanceUID = header.SOPInstanceUID
    return image


def _region(number: int, target: Target, source: SourceSeries) -> Dataset:
    region = Dataset()
    region.ROINumber = number
    region.ReferencedFrameOfReferenceUID = source.first.FrameOfReferenceUID
    region.ROIName = target.label
    region.ROIVolume = f"{target.measured.volume_ml:.6g}"
    region.ROIGenerationAlgorithm = "SEMIAUTOMATIC"
    region.ROIGenerationDescription = f"{target.algorithm.name} {target.algorithm.version}"[:MAX_CHARACTERS]
    region.ROIDerivationAlgorithmIdentificationSequence = [_algorithm(target)]
    region.TrackingUID = target.tracking_uid
    region.TrackingID = target.label
    return region


def _algorithm(target: Target) -> Dataset:
    algorithm = Dataset()
    algorithm.AlgorithmName = target.algorithm.name
    algorithm.AlgorithmVersion = target.algorithm.version
    algorithm.AlgorithmSource = MANUFACTURER
    algorithm.AlgorithmParameters = ",".join(f"{name}={text}" for name, text in target.algorithm.parameters.items())
    algorithm.AlgorithmFamilyCodeSequence = [_coded(target.algorithm.family)]
    return algorithm


def _coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item


def _contours(number: int, target: Target, source: SourceSeries) -> Dataset:
    contours = Dataset()
    contours.ReferencedROINumber = number
    contours.ROIDisplayColor = [round(255 * part) for part in target.segment.color]
    contours.ContourSequence = []
    for n, (header, points_lps) in enumerate(_planar(target.segment.mask_kji, source), start=1):
        contour = Dataset()
        contour.ContourNumber = n
        contour.ContourImageSequence = [_image(header)]
        contour.ContourGeometricType = "CLOSED_PLANAR"
        contour.NumberOfContourPoints = len(points_lps)
        contour.ContourData = [f"{part:.5f}" for part in points_lps.ravel()]
        contours.ContourSequence.append(contour)
    return contours


def _planar(mask_kji: NDArray[np.bool_], source: SourceSeries) -> Iterator[tuple[Dataset, NDArray[np.float64]]]:
    """Header of a slice and the corners (N, 3) of a contour in it, LPS mm."""
    box = Box.of_mask(mask_kji)
    assert box is not None
    slices, rows, columns = box.slices
    for k in range(slices.start, slices.stop):
        header = source.headers[k]
        to_lps = _ij_to_lps(header)
        for corners_ij in contours_of(mask_kji[k, rows, columns]):
            corners_ij += np.array([columns.start, rows.start])
            yield header, corners_ij @ to_lps[:, :2].T + to_lps[:, 2]


def _ij_to_lps(header: Dataset) -> NDArray[np.float64]:
    """Columns: steps along i and j and the position of the first voxel, LPS mm (DICOM PS3.3, C.7.6.2.1.1)."""
    cosines = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
    row_spacing, column_spacing = (float(part) for part in header.PixelSpacing)
    position = np.array(header.ImagePositionPatient, float)
    return np.column_stack([cosines[0] * column_spacing, cosines[1] * row_spacing, position])


def _observation(number: int, target: Target) -> Dataset:
    observation = Dataset()
    observation.ObservationNumber = number
    observation.ReferencedROINumber = number
    observation.ROIObservationDescription = NOTICE
    observation.RTROIIdentificationCodeSequence = [_coded(terminology_of(target.segment).kind)]
    observation.RTROIInterpretedType = ""
    observation.ROIInterpreter = ""
    return observation
