"""DICOM RTSTRUCT read back by pydicom and filled by matplotlib: the same voxels, and whose they are."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from SegAnyPETLib.dicom_out.source import read_source
from SegAnyPETLib.dicom_out.structure_set import structure_set_of
from SegAnyPETLib.dicom_out.target import Target
from SegAnyPETLib.dicom_out.write import write_dicom
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.reading import read_scan
from Testing.dicom_fixtures import PATIENT_ID, PATIENT_NAME
from Testing.dicom_out.conformance import lacking
from Testing.dicom_out.scans import SmallScan, block, small_scan
from Testing.rtstruct import mask_from_rtstruct

SHAPE = (5, 6, 7)
LOW = block(SHAPE, (1, 4), (1, 5), (2, 6)) & ~block(SHAPE, (2, 3), (2, 4), (3, 5))
HIGH = block(SHAPE, (3, 5), (0, 2), (0, 2))


def written(small: SmallScan, targets: list[Target], folder: Path) -> Path:
    path = folder / "lesion.rtss.dcm"
    write_dicom(small.source, targets, [path])
    return path


def test_contours_with_a_hole_are_filled_to_the_mask(small: SmallScan, tmp_path: Path) -> None:
    path = written(small, [small.target(LOW, "Low"), small.target(HIGH, "High")], tmp_path)
    assert np.array_equal(mask_from_rtstruct(path, "Low", small.scan.volume), LOW)
    assert np.array_equal(mask_from_rtstruct(path, "High", small.scan.volume), HIGH)


def test_contours_lie_in_the_planes_of_their_slices_also_of_an_oblique_uneven_series(tmp_path: Path) -> None:
    def edit(image, k):
        image.ImageOrientationPatient = [0, 0.6, 0.8, 0, -0.8, 0.6]
        image.ImagePositionPatient = [-10 + 3 * k + 0.3 * (k % 2), -20, -30]

    small = small_scan(tmp_path / "series", edit=edit)
    path = written(small, [small.target(LOW, "Low")], tmp_path)
    assert np.array_equal(mask_from_rtstruct(path, "Low", small.scan.volume), LOW)
    planes = {pydicom.dcmread(p).SOPInstanceUID: pydicom.dcmread(p).ImagePositionPatient[0] for p in small.paths}
    for contour in pydicom.dcmread(path).ROIContourSequence[0].ContourSequence:
        plane = planes[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
        assert np.allclose(contour.ContourData[::3], plane, atol=1e-4)


def test_it_belongs_to_patient_study_and_frame_of_reference_of_the_pet(small: SmallScan, tmp_path: Path) -> None:
    found = pydicom.dcmread(written(small, [small.target(LOW)], tmp_path))
    image = pydicom.dcmread(small.paths[0])
    assert (found.PatientName, found.PatientID) == (PATIENT_NAME, PATIENT_ID)
    assert found.StudyInstanceUID == image.StudyInstanceUID
    frame = found.ReferencedFrameOfReferenceSequence[0]
    assert frame.FrameOfReferenceUID == image.FrameOfReferenceUID == found.FrameOfReferenceUID
    series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == image.SeriesInstanceUID
    assert [item.ReferencedSOPInstanceUID for item in series.ContourImageSequence] == [
        pydicom.dcmread(path).SOPInstanceUID for path in small.paths
    ]


def test_it_says_what_drew_it_and_that_it_is_for_research(small: SmallScan, tmp_path: Path) -> None:
    target = small.target(LOW, "Läsion 病変")
    found = pydicom.dcmread(written(small, [target], tmp_path))
    region = found.StructureSetROISequence[0]
    assert (region.ROIName, region.TrackingUID) == ("Läsion 病変", target.tracking_uid)
    assert region.ROIVolume == pytest.approx(target.measured.volume_ml, rel=1e-5)
    assert region.ROIGenerationAlgorithm == "SEMIAUTOMATIC"
    algorithm = region.ROIDerivationAlgorithmIdentificationSequence[0]
    assert f"WeightsSHA256={'ab' * 32}" in algorithm.AlgorithmParameters
    assert found.ContentQualification == "RESEARCH"
    assert found.StructureSetDescription == "Research use only, not a medical device."
    assert found.ApprovalStatus == "UNAPPROVED"


def test_it_has_what_the_standard_asks_of_a_structure_set(small: SmallScan, tmp_path: Path) -> None:
    assert lacking(pydicom.dcmread(written(small, [small.target(LOW), small.target(HIGH)], tmp_path))) == []


def test_contours_longer_than_64_kilobytes_come_back(tmp_path: Path) -> None:
    shape = (2, 81, 81)
    small = small_scan(tmp_path / "series", shape)
    board = np.zeros(shape, bool)
    board[0] = np.indices(shape[1:]).sum(0) % 2 == 0
    board[0, ::2] = True
    path = written(small, [small.target(board, "Board")], tmp_path)
    (contour,) = pydicom.dcmread(path).ROIContourSequence[0].ContourSequence
    assert contour.NumberOfContourPoints > 5000
    assert np.array_equal(mask_from_rtstruct(path, "Board", small.scan.volume), board)


def test_a_mask_without_a_voxel_is_refused(small: SmallScan) -> None:
    target = small.target(LOW)
    target.segment.mask_kji[:] = False
    with pytest.raises(InputError, match="has no voxel"):
        structure_set_of(small.source, [target])


def test_contours_of_a_real_series_are_filled_to_the_mask(shared_data: Path, tmp_path: Path) -> None:
    scan = read_scan(shared_data / "wholebody_fdg_dicom")
    small = SmallScan(scan.files, scan, read_source(scan.volume, scan.files))
    hot = scan.volume.array_kji > 5
    path = written(small, [small.target(hot, "Hot")], tmp_path)
    assert np.array_equal(mask_from_rtstruct(path, "Hot", scan.volume), hot)
    assert lacking(pydicom.dcmread(path)) == []
