"""Regions of RTSTRUCT and SEG files as masks and labels on the grid of the PET."""

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from SegAnyPETLib.dicom_out.write import write_dicom
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.reading import read_scan
from SegAnyPETLib.volume.dicom.reference.read import read_reference_labels, read_reference_mask
from Testing.dicom_fixtures import counting_voxels, write_series
from Testing.dicom_out.scans import SmallScan, block, small_scan
from Testing.rtstruct import mask_from_rtstruct
from Testing.volume.dicom.reference.structure_sets import square, structure_set, write

SHAPE = (5, 6, 7)
LOW = block(SHAPE, (1, 4), (1, 5), (2, 6)) & ~block(SHAPE, (2, 3), (2, 4), (3, 5))
HIGH = block(SHAPE, (3, 5), (0, 2), (0, 2)) & ~LOW


@pytest.fixture
def small(tmp_path: Path) -> SmallScan:
    return small_scan(tmp_path / "series", SHAPE)


def contours(small: SmallScan, folder: Path, **options) -> Path:
    regions = {"Low": [square((1.5, 4.5), (0.5, 3.5), k) for k in (1, 2)], "High": [square((4.6, 5.6), (3.6, 4.6), 3)]}
    return write(structure_set(small.scan.volume, regions, **options), folder)


@pytest.fixture(params=["a.dcm", "a.labelmap.dcm", "a.rtss.dcm"])
def written(request: pytest.FixtureRequest, small: SmallScan, tmp_path: Path) -> Path:
    """What this program writes itself."""
    path = tmp_path / request.param
    write_dicom(small.source, [small.target(LOW, "Low"), small.target(HIGH, "High")], [path])
    return path


@pytest.mark.parametrize(("name", "mask"), [("Low", LOW), ("High", HIGH)])
def test_a_region_that_was_written_is_read_again(name: str, mask, written: Path, small: SmallScan) -> None:
    found = read_reference_mask(written, small.scan.volume, name, small.scan.files)
    assert np.array_equal(found.volume.array_kji, mask)
    assert found.volume.same_grid(small.scan.volume)
    assert found.notes == ()


def test_all_regions_become_labels_in_their_order(written: Path, small: SmallScan) -> None:
    labels = read_reference_labels(written, small.scan.volume, small.scan.files).volume.array_kji
    assert np.array_equal(labels, LOW + 2 * HIGH)


def test_one_of_several_regions_must_be_named(written: Path, small: SmallScan) -> None:
    with pytest.raises(InputError, match=r"holds 2 segments \(Low, High\); name the one to take"):
        read_reference_mask(written, small.scan.volume)
    with pytest.raises(InputError, match="holds no segments named Mid; it holds Low, High"):
        read_reference_mask(written, small.scan.volume, "Mid")


def test_contours_from_elsewhere_are_filled(small: SmallScan, tmp_path: Path) -> None:
    labels = read_reference_labels(contours(small, tmp_path), small.scan.volume, small.scan.files).volume.array_kji
    expected = block(SHAPE, (1, 3), (1, 4), (2, 5)) + 2 * block(SHAPE, (3, 4), (4, 5), (5, 6))
    assert np.array_equal(labels, expected)


def test_overlapping_regions_are_no_labels(small: SmallScan, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    write_dicom(small.source, [small.target(LOW, "Low"), small.target(LOW | HIGH, "All")], [path])
    with pytest.raises(InputError, match=r"All of a\.dcm overlaps Low; name the one to take"):
        read_reference_labels(path, small.scan.volume)
    assert np.array_equal(read_reference_mask(path, small.scan.volume, "All").volume.array_kji, LOW | HIGH)


def test_another_frame_of_reference_is_refused(small: SmallScan, tmp_path: Path) -> None:
    path = contours(small, tmp_path, frame="2.25.7")
    with pytest.raises(InputError, match="drawn in another frame of reference than the PET's"):
        read_reference_mask(path, small.scan.volume, "Low", small.scan.files)


def test_a_place_that_cannot_be_compared_is_told(small: SmallScan, tmp_path: Path) -> None:
    (note,) = read_reference_mask(contours(small, tmp_path), small.scan.volume, "Low").notes
    assert "check that the mask lies at its place" in note.message


@pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR"])
def test_a_structure_set_without_closed_contours_is_refused(kind: str, small: SmallScan, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no closed contours"):
        read_reference_mask(contours(small, tmp_path, kind=kind), small.scan.volume, "Low")


def test_a_region_between_all_voxels_is_refused(small: SmallScan, tmp_path: Path) -> None:
    regions = {"Tiny": [square((1.1, 1.4), (1.1, 1.4), 1)]}
    with pytest.raises(InputError, match=r"Tiny of contours.dcm holds no voxel of the image"):
        read_reference_mask(write(structure_set(small.scan.volume, regions), tmp_path), small.scan.volume)


def test_a_slice_is_neither_segments_nor_contours(small: SmallScan) -> None:
    with pytest.raises(InputError, match="holds neither segments nor contours"):
        read_reference_mask(small.paths[0], small.scan.volume)


def test_segments_of_another_grid_are_refused(small: SmallScan, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    write_dicom(small.source, [small.target(LOW)], [path])
    write_series(tmp_path / "finer", counting_voxels(SHAPE), slice_mm=2.0)
    with pytest.raises(InputError, match="lies on another grid than the image"):
        read_reference_mask(path, read_scan(tmp_path / "finer").volume)


def test_segments_of_a_larger_image_are_refused(small: SmallScan, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    write_dicom(small.source, [small.target(LOW)], [path])
    write_series(tmp_path / "smaller", counting_voxels((3, 6, 7)))
    with pytest.raises(InputError, match="reaches beyond the image"):
        read_reference_mask(path, read_scan(tmp_path / "smaller").volume)


def made_by_highdicom(small: SmallScan, pixels, kind: str, folder: Path) -> Path:
    description = highdicom.seg.SegmentDescription(
        1,
        "Low",
        pydicom.sr.codedict.codes.SCT.MorphologicallyAbnormalStructure,
        pydicom.sr.codedict.codes.SCT.Neoplasm,
        "MANUAL",
    )
    seg = highdicom.seg.Segmentation(
        small.source.headers,
        pixels,
        kind,
        [description],
        highdicom.UID(),
        1,
        highdicom.UID(),
        1,
        "m",
        "m",
        "1",
        "1",
        max_fractional_value=200,
    )
    seg.save_as(folder / "made.dcm")
    return folder / "made.dcm"


def test_a_label_map_is_read(small: SmallScan, tmp_path: Path) -> None:
    path = made_by_highdicom(small, LOW.astype(np.uint8), "LABELMAP", tmp_path)
    assert np.array_equal(read_reference_mask(path, small.scan.volume).volume.array_kji, LOW)


def test_fractions_count_from_one_half_on_and_are_told(small: SmallScan, tmp_path: Path) -> None:
    fractions = np.where(LOW, 0.5, 0.49) * (np.arange(7) > 0)
    found = read_reference_mask(
        made_by_highdicom(small, fractions, "FRACTIONAL", tmp_path), small.scan.volume, files=small.scan.files
    )
    assert np.array_equal(found.volume.array_kji, LOW)
    assert "a voxel counts from one half on" in found.notes[0].message


def damaged(path: Path, change) -> Path:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


def _lacking(keyword: str):
    return lambda dataset: delattr(dataset, keyword)


def _place(dataset: Dataset) -> None:
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence


def _cut(dataset: Dataset) -> None:
    dataset.PixelData = dataset.PixelData[:4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_lacking("SegmentSequence"), "names no segments"),
        (_lacking("PerFrameFunctionalGroupsSequence"), "describes 0 of its 3 frames"),
        (_place, "does not say where its frames lie"),
        (_cut, "truncated or damaged"),
        (_lacking("NumberOfFrames"), "truncated or damaged"),
        (lambda dataset: setattr(dataset, "Rows", 60000), "a.dcm"),
    ],
)
def test_damaged_segmentations_are_one_line(change, message: str, small: SmallScan, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    write_dicom(small.source, [small.target(LOW)], [path])
    with pytest.raises(InputError, match=message):
        read_reference_mask(damaged(path, change), small.scan.volume)


@pytest.mark.parametrize("content", [b"", bytes(5000), b"\0" * 128 + b"DICM", b"\0" * 128 + b"DICM" + b"\xff" * 500])
def test_rubbish_is_one_line(content: bytes, small: SmallScan, tmp_path: Path) -> None:
    (tmp_path / "x.dcm").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.dcm"):
        read_reference_mask(tmp_path / "x.dcm", small.scan.volume)


def test_coordinates_that_are_none_are_one_line(small: SmallScan, tmp_path: Path) -> None:
    dataset = structure_set(small.scan.volume, {"a": [square((1, 3), (1, 3), 1)]})
    dataset.ROIContourSequence[0].ContourSequence[0].ContourData = ["1", "2", "3", "4"]
    with pytest.raises(InputError, match="a contour of the structure set is damaged"):
        read_reference_mask(write(dataset, tmp_path), small.scan.volume)


@pytest.mark.parametrize("name", ["GTV_Mass", "GTV_Edema"])
def test_a_real_structure_set_fills_what_another_rasteriser_fills(name: str, shared_data: Path) -> None:
    scan = read_scan(shared_data / "wholebody_fdg_dicom")
    path = shared_data / "wholebody_fdg_rtstruct" / "gtv.dcm"
    found = read_reference_mask(path, scan.volume, name, scan.files)
    assert np.array_equal(found.volume.array_kji, mask_from_rtstruct(path, name, scan.volume))
    assert found.notes == ()
