"""DICOM SEG read back by pydicom, highdicom and dcmqi: the same voxels at the same places, and whose they are."""

import logging
import subprocess
import sys
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from SegAnyPETLib.dicom_out.segmentation import segmentation_of
from SegAnyPETLib.dicom_out.source import read_source
from SegAnyPETLib.dicom_out.target import Target
from SegAnyPETLib.dicom_out.write import write_dicom
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.reading import read_scan
from SegAnyPETLib.volume.io import read_labels
from SegAnyPETLib.volume.segmentation import Segment
from Testing.dicom_fixtures import PATIENT_ID, PATIENT_NAME
from Testing.dicom_out.conformance import lacking
from Testing.dicom_out.scans import SmallScan, block, small_scan

SHAPE = (5, 6, 7)
LOW = block(SHAPE, (1, 4), (1, 5), (2, 6))
HIGH = block(SHAPE, (3, 5), (0, 2), (0, 2))


def masks_in(path: Path, small: SmallScan) -> NDArray:
    """Masks (k, j, i, segment) of a file on the slices of the PET, by highdicom."""
    found = highdicom.seg.segread(path).get_pixels_by_source_instance(
        [pydicom.dcmread(slice_path).SOPInstanceUID for slice_path in small.paths],
        ignore_spatial_locations=False,
        assert_missing_frames_are_empty=True,
    )
    return found > 0


def written(small: SmallScan, targets: list[Target], folder: Path) -> Path:
    path = folder / "lesion.dcm"
    write_dicom(small.source, targets, [path])
    return path


@pytest.mark.parametrize("masks", [[LOW], [LOW, HIGH], [LOW, LOW | HIGH]], ids=["one", "apart", "overlapping"])
def test_masks_come_back_voxel_by_voxel(masks: list[NDArray], small: SmallScan, tmp_path: Path) -> None:
    path = written(small, [small.target(mask, f"T{n}") for n, mask in enumerate(masks)], tmp_path)
    assert np.array_equal(masks_in(path, small), np.stack(masks, axis=-1))


def test_frames_lie_where_their_slices_lie(small: SmallScan, tmp_path: Path) -> None:
    seg = pydicom.dcmread(written(small, [small.target(LOW)], tmp_path))
    frames = seg.PerFrameFunctionalGroupsSequence
    slices = [pydicom.dcmread(path) for path in small.paths]
    found = {
        frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID: list(
            frame.PlanePositionSequence[0].ImagePositionPatient
        )
        for frame in frames
    }
    assert found == {slices[k].SOPInstanceUID: list(slices[k].ImagePositionPatient) for k in (1, 2, 3)}


def test_it_belongs_to_patient_study_and_frame_of_reference_of_the_pet(small: SmallScan, tmp_path: Path) -> None:
    seg, image = pydicom.dcmread(written(small, [small.target(LOW)], tmp_path)), pydicom.dcmread(small.paths[0])
    assert (seg.PatientName, seg.PatientID) == (PATIENT_NAME, PATIENT_ID)
    assert seg.StudyInstanceUID == image.StudyInstanceUID
    assert seg.FrameOfReferenceUID == image.FrameOfReferenceUID
    assert seg.SeriesInstanceUID != image.SeriesInstanceUID
    referenced = seg.ReferencedSeriesSequence[0]
    assert referenced.SeriesInstanceUID == image.SeriesInstanceUID
    assert len(referenced.ReferencedInstanceSequence) == 5


def test_it_says_what_segmented_it_and_that_it_is_for_research(small: SmallScan, tmp_path: Path) -> None:
    target = small.target(LOW, "Läsion 病変")
    seg = pydicom.dcmread(written(small, [target], tmp_path))
    segment = seg.SegmentSequence[0]
    algorithm = segment.SegmentationAlgorithmIdentificationSequence[0]
    assert (segment.SegmentLabel, segment.TrackingUID) == ("Läsion 病変", target.tracking_uid)
    assert segment.SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("SegAnyPET random", "9.8.7")
    assert f"WeightsSHA256={'ab' * 32}" in algorithm.AlgorithmParameters
    assert seg.ContentQualification == "RESEARCH"
    assert seg.ContentDescription == "Research use only, not a medical device."
    assert seg.SeriesDescription == "Segments, SegAnyPET, research use only"


def test_the_color_is_that_of_the_segment(small: SmallScan, tmp_path: Path) -> None:
    target = Target(Segment("a", LOW, (0.0, 1.0, 0.0)), small.target(LOW).measured, small.target(LOW).algorithm)
    seg = pydicom.dcmread(written(small, [target], tmp_path))
    lab = highdicom.color.CIELabColor.from_dicom_value(seg.SegmentSequence[0].RecommendedDisplayCIELabValue)
    assert lab.to_rgb(clip=True) == pytest.approx((0, 255, 0), abs=2)


def test_it_has_what_the_standard_asks_of_a_segmentation(small: SmallScan, tmp_path: Path) -> None:
    assert lacking(pydicom.dcmread(written(small, [small.target(LOW), small.target(HIGH)], tmp_path))) == []


def test_dcmqi_reads_the_same_voxels(small: SmallScan, tmp_path: Path) -> None:
    path = written(small, [small.target(LOW)], tmp_path)
    command = [Path(sys.executable).with_name("segimage2itkimage"), "--inputDICOM", path]
    subprocess.run([*command, "--outputDirectory", tmp_path, "-t", "nrrd", "-p", "q"], check=True, capture_output=True)
    found = read_labels(tmp_path / "q-1.nrrd")
    points = found.point_ras(np.argwhere(found.array_kji))
    expected = small.scan.volume.point_ras(np.argwhere(LOW))
    assert np.allclose(sorted(points.tolist()), sorted(expected.tolist()), atol=1e-3)


def test_an_oblique_series_with_uneven_slices_keeps_its_places(tmp_path: Path) -> None:
    def edit(image, k):
        image.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        image.ImagePositionPatient = [-10 - 3 * k - 0.1 * (k % 2), -20, -30]

    small = small_scan(tmp_path / "series", edit=edit)
    path = written(small, [small.target(LOW)], tmp_path)
    assert np.array_equal(masks_in(path, small)[..., 0], LOW)


def test_logs_and_warnings_tell_nothing_of_the_patient(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], recwarn
) -> None:
    def edit(image, k):
        image.PatientName = "NoCaretInIt"

    small = small_scan(tmp_path / "series", edit=edit)
    with caplog.at_level(logging.DEBUG):
        written(small, [small.target(LOW)], tmp_path)
    told = [caplog.text, *capfd.readouterr(), *(str(warning.message) for warning in recwarn)]
    assert not any("NoCaretInIt" in text for text in told)


@pytest.mark.parametrize(
    ("mask", "message"),
    [(np.zeros(SHAPE, bool), "has no voxel"), (np.ones((1, 2, 3), bool), "does not fit the volume's grid")],
)
def test_masks_that_cannot_be_written_are_refused(mask: NDArray, message: str, small: SmallScan) -> None:
    target = Target(Segment("a", mask), small.target(LOW).measured, small.target(LOW).algorithm)
    with pytest.raises(InputError, match=message):
        segmentation_of(small.source, [target])


def test_no_target_is_refused(small: SmallScan) -> None:
    with pytest.raises(InputError, match="no segment to write"):
        segmentation_of(small.source, [])


def test_tags_that_allow_no_segmentation_are_one_line(tmp_path: Path) -> None:
    small = small_scan(tmp_path / "series")
    for header in small.source.headers:
        del header.PixelSpacing
    with pytest.raises(InputError, match="a DICOM SEG cannot be made of the tags of this PET series"):
        segmentation_of(small.source, [small.target(LOW)])


def test_a_real_series_gives_back_the_same_voxels(shared_data: Path, tmp_path: Path) -> None:
    scan = read_scan(shared_data / "wholebody_fdg_dicom")
    small = SmallScan(scan.files, scan, read_source(scan.volume, scan.files))
    hot = scan.volume.array_kji > 5
    path = written(small, [small.target(hot)], tmp_path)
    assert np.array_equal(masks_in(path, small)[..., 0], hot)
    assert lacking(pydicom.dcmread(path)) == []


def test_a_label_map_holds_the_segments_as_numbers(small: SmallScan, tmp_path: Path) -> None:
    high = HIGH & ~LOW
    write_dicom(small.source, [small.target(LOW, "Low"), small.target(high, "High")], [tmp_path / "a.labelmap.dcm"])
    found = highdicom.seg.segread(tmp_path / "a.labelmap.dcm")
    assert found.SegmentationType == "LABELMAP"
    numbers = found.get_pixels_by_source_instance(
        [pydicom.dcmread(path).SOPInstanceUID for path in small.paths],
        combine_segments=True,
        assert_missing_frames_are_empty=True,
    )
    assert np.array_equal(numbers, LOW + 2 * high)
    # A label map has all segments in each frame; the tables know binary segmentations only.
    missing = lacking(pydicom.dcmread(tmp_path / "a.labelmap.dcm"))
    assert {name.rpartition(".")[2] for name in missing} == {"SegmentIdentificationSequence"}
    assert found.ContentQualification == "RESEARCH"


def test_a_label_map_of_overlapping_segments_is_refused(small: SmallScan, tmp_path: Path) -> None:
    targets = [small.target(LOW), small.target(LOW | HIGH)]
    with pytest.raises(InputError, match="a DICOM label map cannot hold segments that overlap"):
        write_dicom(small.source, targets, [tmp_path / "a.labelmap.dcm"])
    assert not (tmp_path / "a.labelmap.dcm").exists()
