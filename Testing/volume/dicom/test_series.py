import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    MPEG2MPML,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedPETImageStorage,
    HTJ2KLossless,
    MediaStorageDirectoryStorage,
    RLELossless,
    RTStructureSetStorage,
    SecondaryCaptureImageStorage,
)

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom.series import read_series
from Testing.dicom_fixtures import PATIENT_ID, PATIENT_NAME, counting_voxels, set_storage_class, write_series

VOXELS = counting_voxels()


def test_slices_are_sorted_by_position_and_rescaled_one_by_one(tmp_path):
    slopes = [1.0, 2.0, 0.5, 4.0]
    write_series(tmp_path, VOXELS, slopes=slopes)
    volume = read_series(tmp_path).volume
    assert volume.array_kji.dtype == np.float32
    assert np.array_equal(volume.array_kji, VOXELS * np.array(slopes)[:, None, None])
    assert volume.units == "Bq/ml"


def test_intercept_is_added(tmp_path):
    write_series(tmp_path, VOXELS, edit=lambda image, k: setattr(image, "RescaleIntercept", str(-k)))
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS - np.arange(4)[:, None, None])


def test_columns_and_rows_take_their_own_spacing(tmp_path):
    write_series(tmp_path, VOXELS)
    volume = read_series(tmp_path).volume
    np.testing.assert_allclose(
        volume.ijk_to_ras, [[-5, 0, 0, 10], [0, -4, 0, 20], [0, 0, 3, -30], [0, 0, 0, 1]], atol=1e-9
    )


def test_oblique_series_places_every_voxel_where_its_tags_say(tmp_path):
    turn = np.deg2rad(30)
    row, column = np.array([np.cos(turn), np.sin(turn), 0]), np.array([0, 0, -1.0])
    normal = np.cross(row, column)

    def edit(image, k):
        image.ImageOrientationPatient = [*row, *column]
        image.ImagePositionPatient = [f"{part:.9g}" for part in (1, 2, 3) + 2.5 * k * normal]

    write_series(tmp_path, VOXELS, edit=edit)
    volume = read_series(tmp_path).volume
    lps = np.array([1, 2, 3]) + 3 * 2.5 * normal + 2 * 4.0 * column + 1 * 5.0 * row
    np.testing.assert_allclose(volume.point_ras((3, 2, 1)), lps * (-1, -1, 1), atol=1e-6)
    assert np.array_equal(volume.array_kji, VOXELS)


def test_headers_follow_the_slices_and_hold_no_identifier(tmp_path):
    write_series(tmp_path, VOXELS, slopes=[1, 2, 3, 4])
    headers = read_series(tmp_path).headers
    assert [float(header.RescaleSlope) for header in headers] == [1, 2, 3, 4]
    text = "\n".join(str(header) for header in headers)
    assert PATIENT_NAME not in text
    assert PATIENT_ID not in text
    assert "UID" not in text


def test_small_irregularity_of_the_slice_distance_becomes_its_mean(tmp_path):
    shifts = [0, 0.05, -0.05, 0]
    write_series(
        tmp_path,
        VOXELS,
        slice_mm=3.27,
        edit=lambda image, k: setattr(image, "ImagePositionPatient", [0, 0, round(3.27 * k + shifts[k], 3)]),
    )
    assert read_series(tmp_path).volume.spacing_mm[2] == pytest.approx(3.27)


def test_run_length_encoded_slices_are_read(tmp_path):
    write_series(tmp_path, VOXELS, edit=lambda image, k: image.compress(RLELossless))
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


def test_other_files_and_other_modalities_are_passed_over(tmp_path):
    write_series(tmp_path, VOXELS)
    write_series(tmp_path, VOXELS[:1], series="ct", edit=_become(CTImageStorage, "CT"))
    write_series(tmp_path, VOXELS[:1], series="rt", edit=_become(RTStructureSetStorage, "RTSTRUCT"))
    (tmp_path / "notes.txt").write_text("no DICOM")
    (tmp_path / "subfolder").mkdir()
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


def _become(storage, modality):
    def edit(image, k):
        set_storage_class(image, storage)
        image.Modality = modality

    return edit


def _refusal(folder: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as caught:
            read_series(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert PATIENT_NAME not in message
    assert PATIENT_ID not in message
    return message


def test_missing_slice_is_refused(tmp_path):
    write_series(tmp_path, VOXELS)[1].unlink()
    assert "lacks a slice: a gap of 6.00 mm" in _refusal(tmp_path)


def test_missing_last_slice_is_refused_where_the_tags_count_the_slices(tmp_path):
    write_series(tmp_path, VOXELS, edit=lambda image, k: setattr(image, "NumberOfSlices", 4))[3].unlink()
    assert "3 of its 4 slices" in _refusal(tmp_path)


def test_two_slices_at_the_same_place_are_refused(tmp_path):
    write_series(
        tmp_path, VOXELS, edit=lambda image, k: setattr(image, "ImagePositionPatient", [0, 0, 3.0 * min(k, 2)])
    )
    assert "same place" in _refusal(tmp_path)


def test_file_that_is_there_twice_is_taken_once(tmp_path):
    for path in write_series(tmp_path, VOXELS):
        (tmp_path / f"{path.stem} (1).dcm").write_bytes(path.read_bytes())
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


@pytest.mark.parametrize("change", [lambda image: setattr(image, "RescaleSlope", "2"), lambda image: _flip(image)])
def test_two_images_of_one_identifier_that_differ_are_refused(tmp_path, change):
    path = write_series(tmp_path, VOXELS)[2]
    image = pydicom.dcmread(path)
    change(image)
    image.save_as(tmp_path / "other.dcm")
    message = _refusal(tmp_path)
    assert "same SOPInstanceUID (0008,0018)" in message
    assert path.name in message


def _flip(image):
    image.PixelData = image.PixelData[::-1]


def test_files_that_macos_leaves_and_empty_files_are_passed_over(tmp_path):
    path = write_series(tmp_path, VOXELS)[0]
    (tmp_path / f"._{path.name}").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(4000))
    (tmp_path / "empty.dcm").touch()
    (tmp_path / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1" + bytes(2000))
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


def test_file_meta_that_does_not_name_the_kind_of_object_is_made_up_for_by_the_header(tmp_path):
    for path in write_series(tmp_path, VOXELS):
        image = pydicom.dcmread(path)
        del image.file_meta.MediaStorageSOPClassUID
        image.save_as(path, enforce_file_format=False)
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


@pytest.mark.parametrize("suffix", [".dcm", ""])
@pytest.mark.parametrize("implicit", [True, False])
def test_files_without_preamble_and_meta_information_are_read(tmp_path, suffix, implicit):
    for path in write_series(tmp_path, VOXELS):
        image = pydicom.dcmread(path)
        bare = Dataset()
        bare.update(image)
        path.unlink()
        bare.save_as(path.with_suffix(suffix), implicit_vr=implicit, little_endian=True)
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


def test_deflated_slices_are_read(tmp_path):
    _deflate(tmp_path, lambda image: None)
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


def test_deflated_slice_that_unpacks_to_more_than_a_slice_is_refused(tmp_path):
    _deflate(tmp_path, lambda image: image.add_new(0x00091001, "OB", bytes(80 << 20)))
    assert "unpacks to more than a slice of a PET" in _refusal(tmp_path)


def _deflate(folder, edit):
    for path in write_series(folder, VOXELS):
        image = pydicom.dcmread(path)
        image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        edit(image)
        image.save_as(path)


@pytest.mark.parametrize("size", [65535, 4000])
def test_size_that_the_file_cannot_hold_is_refused_before_memory_is_given_to_it(tmp_path, size):
    write_series(
        tmp_path, VOXELS, edit=lambda image, k: setattr(image, "Rows", size) or setattr(image, "Columns", size)
    )
    tracemalloc.start()
    _refusal(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6


@pytest.mark.parametrize("head", [b"", bytes(128) + b"DICM"])
def test_sparse_file_of_zeros_is_refused(tmp_path, head):
    write_series(tmp_path, VOXELS)
    with (tmp_path / "zeros.dcm").open("wb") as file:
        file.write(head)
        file.truncate(8 << 30)
    assert "zeros.dcm is truncated or damaged" in _refusal(tmp_path)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_position_beyond_any_scanner_is_refused(tmp_path, axis):
    def edit(image, k):
        position = [0.0, 0.0, 3.0 * k]
        position[axis] += 1e30 if axis < 2 else 1e6
        image.ImagePositionPatient = [f"{part:.9g}" for part in position]

    write_series(tmp_path, VOXELS, edit=edit)
    assert "ImagePositionPatient (0020,0032)" in _refusal(tmp_path)


def test_pet_stored_as_another_kind_of_object_is_named(tmp_path):
    write_series(tmp_path, VOXELS, edit=lambda image, k: set_storage_class(image, SecondaryCaptureImageStorage))
    assert "PT as Secondary Capture Image Storage" in _refusal(tmp_path)


def test_dicomdir_without_its_images_is_named(tmp_path):
    write_series(tmp_path, VOXELS[:1], edit=lambda image, k: set_storage_class(image, MediaStorageDirectoryStorage))
    assert "a DICOMDIR without its images" in _refusal(tmp_path)


def test_series_that_lies_at_one_place_is_refused(tmp_path):
    write_series(tmp_path, VOXELS, slice_mm=0.0)
    assert "same place" in _refusal(tmp_path)


def test_two_series_are_refused(tmp_path):
    write_series(tmp_path, VOXELS)
    write_series(tmp_path, VOXELS, series="two")
    assert "2 PET series; choose one by --series" in _refusal(tmp_path)


def test_folder_without_pet_is_refused_naming_what_is_there(tmp_path):
    write_series(tmp_path, VOXELS, edit=_become(CTImageStorage, "CT"))
    message = _refusal(tmp_path)
    assert "no DICOM PET images" in message
    assert "CT" in message


def test_empty_folder_is_refused(tmp_path):
    assert "no DICOM PET images" in _refusal(tmp_path)


def test_absent_folder_is_refused(tmp_path):
    assert "not a folder" in _refusal(tmp_path / "absent")


def test_single_slice_is_refused(tmp_path):
    write_series(tmp_path, VOXELS[:1])
    assert "single slice" in _refusal(tmp_path)


def test_enhanced_multi_frame_pet_is_refused(tmp_path):
    write_series(tmp_path, VOXELS[:1], edit=_become(EnhancedPETImageStorage, "PT"))
    assert "enhanced multi-frame" in _refusal(tmp_path)


def test_truncated_pixels_are_refused(tmp_path):
    path = write_series(tmp_path, VOXELS)[2]
    path.write_bytes(path.read_bytes()[:-5])
    assert f"{path.name} is truncated or damaged" in _refusal(tmp_path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.7, 0.9])
def test_file_truncated_anywhere_is_refused(tmp_path, share):
    path = write_series(tmp_path, VOXELS)[3]
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    _refusal(tmp_path)


def _encapsulated(syntax, content):
    def edit(image, k):
        image.file_meta.TransferSyntaxUID = syntax
        image.PixelData = pydicom.encaps.encapsulate([content])
        image["PixelData"].is_undefined_length = True

    return edit


@pytest.mark.parametrize("syntax", [HTJ2KLossless, MPEG2MPML])  # one whose decoder is not installed, one without any
def test_unsupported_compression_is_refused(tmp_path, syntax):
    write_series(tmp_path, VOXELS, edit=_encapsulated(syntax, bytes(16)))
    assert f"is compressed ({syntax.name}); export the series uncompressed" in _refusal(tmp_path)


def test_damaged_run_lengths_are_refused_as_such(tmp_path):
    write_series(tmp_path, VOXELS, edit=_encapsulated(RLELossless, b"\2\0\0\0" + b"\xff" * 80))
    assert "is damaged, or compressed (RLE Lossless) in a way that is not known here" in _refusal(tmp_path)


def test_odd_size_of_stored_values_is_not_taken_for_compression(tmp_path):
    def edit(image, k):
        image.BitsAllocated, image.BitsStored, image.HighBit = 24, 24, 23
        image.PixelData = bytes(3 * VOXELS[k].size)

    write_series(tmp_path, VOXELS, edit=edit)
    assert "is truncated or damaged" in _refusal(tmp_path)


@pytest.mark.parametrize(
    ("keyword", "value"), [("ImageOrientationPatient", [1, 0, 0, 0, 0, 1]), ("PixelSpacing", [4.0, 5.5])]
)
def test_slices_that_differ_in_geometry_are_refused(tmp_path, keyword, value):
    write_series(tmp_path, VOXELS, edit=lambda image, k: setattr(image, keyword, value) if k == 2 else None)
    assert f"differ in {keyword}" in _refusal(tmp_path)


def test_slices_that_differ_in_size_are_refused(tmp_path):
    write_series(tmp_path, VOXELS)

    def move_on(image, k):
        image.ImagePositionPatient = [-10, -20, -18]

    write_series(tmp_path, counting_voxels((1, 5, 2)), edit=move_on)
    assert "differ in Rows" in _refusal(tmp_path)


def test_slices_that_drift_sideways_are_refused(tmp_path):
    write_series(
        tmp_path, VOXELS, edit=lambda image, k: setattr(image, "ImagePositionPatient", [-10.0 + k, -20.0, 3.0 * k])
    )
    assert "regular, perpendicular grid" in _refusal(tmp_path)


@pytest.mark.parametrize("cosines", [[1, 0, 0, 0.1, 1, 0], [2, 0, 0, 0, 1, 0]])
def test_orientation_that_is_not_orthonormal_is_refused(tmp_path, cosines):
    write_series(tmp_path, VOXELS, edit=lambda image, k: setattr(image, "ImageOrientationPatient", cosines))
    assert "ImageOrientationPatient (0020,0037)" in _refusal(tmp_path)


@pytest.mark.parametrize(
    ("keyword", "value"), [("PixelSpacing", [-4.0, 5.0]), ("PixelSpacing", [4.0, 5.0, 6.0]), ("NumberOfSlices", [4, 4])]
)
def test_tag_whose_value_cannot_be_right_is_named(tmp_path, keyword, value):
    write_series(tmp_path, VOXELS, edit=lambda image, k: setattr(image, keyword, value))
    assert keyword in _refusal(tmp_path)


@pytest.mark.parametrize(
    "keyword", ["ImagePositionPatient", "PixelSpacing", "RescaleSlope", "Rows", "SeriesInstanceUID"]
)
def test_missing_tag_is_named(tmp_path, keyword):
    write_series(tmp_path, VOXELS, edit=lambda image, k: delattr(image, keyword) if k == 1 else None)
    assert f"lacks {keyword} (" in _refusal(tmp_path)


def test_tag_that_is_no_number_is_refused_and_nothing_else_is_printed(tmp_path, capfd):
    path = write_series(tmp_path, VOXELS, slopes=[7.25] * 4)[3]
    path.write_bytes(path.read_bytes().replace(b"7.25", b"7,25"))
    assert "RescaleSlope (0028,1053) of the PET series is not a number" in _refusal(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_oddities_of_files_that_matter_not_are_not_printed(tmp_path, capfd):
    def edit(image, k):
        image.PixelData += b"\0\0\0\0"

    write_series(tmp_path, VOXELS, edit=edit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)
    assert capfd.readouterr() == ("", "")


def test_real_series_with_uneven_slice_distance_is_read(shared_data):
    volume = read_series(shared_data / "wholebody_fdg_dicom").volume
    assert volume.shape_kji == (267, 128, 128)
    np.testing.assert_allclose(volume.spacing_mm, [4.6875, 4.6875, 3.27], atol=1e-4)
    np.testing.assert_allclose(volume.point_ras((0, 0, 0)), [297.65625, 297.65625, -881.3], atol=1e-6)
