"""What results take over from the PET series, and series that nothing can refer to."""

from pathlib import Path

import pydicom
import pytest

from SegAnyPETLib.dicom_out.source import read_source
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.reading import read_scan
from Testing.dicom_fixtures import PATIENT_ID, counting_voxels, write_series
from Testing.dicom_out.scans import small_scan


def test_headers_have_the_order_of_the_slices(tmp_path: Path) -> None:
    source = small_scan(tmp_path).source
    assert [float(header.ImagePositionPatient[2]) for header in source.headers] == [-30, -27, -24, -21, -18]


def test_the_first_header_identifies_the_patient(tmp_path: Path) -> None:
    assert small_scan(tmp_path).source.first.PatientID == PATIENT_ID


def test_tags_that_may_be_empty_are_made_so_where_they_are_missing(tmp_path: Path) -> None:
    first = small_scan(tmp_path).source.first
    assert (first.StudyID, first.AccessionNumber, first.PatientBirthDate) == ("", "", "")


def test_values_that_the_standard_does_not_know_are_left_out(tmp_path: Path) -> None:
    def edit(image, k):
        image.add_new("PatientSex", "CS", "W")
        image.add_new("PatientBirthDate", "DA", "")
        image["PatientBirthDate"]._value = "1.4.1950"

    first = small_scan(tmp_path, edit=edit).source.first
    assert (first.PatientSex, first.PatientBirthDate) == ("", "")


def test_slices_have_the_direction_of_the_first_and_a_thickness(tmp_path: Path) -> None:
    def edit(image, k):
        image.ImageOrientationPatient = [1, 0, 0.00001 * k, 0, 1, 0]

    headers = small_scan(tmp_path, edit=edit).source.headers
    assert {tuple(header.ImageOrientationPatient) for header in headers} == {(1, 0, 0, 0, 1, 0)}
    assert headers[3].SliceThickness == pytest.approx(3)


def test_names_in_other_character_sets_stay_what_they_are(tmp_path: Path) -> None:
    def edit(image, k):
        image.SpecificCharacterSet = "ISO_IR 100"
        image.PatientName = "Müller^Jörg"

    first = small_scan(tmp_path, edit=edit).source.first
    assert first.SpecificCharacterSet == "ISO_IR 192"
    assert str(first.PatientName) == "Müller^Jörg"


def test_private_tags_are_not_taken_over(tmp_path: Path) -> None:
    def edit(image, k):
        image.private_block(0x0011, "OURS", create=True).add_new(1, "LO", "private")

    assert [tag for tag in small_scan(tmp_path, edit=edit).source.first.keys() if tag.is_private] == []  # noqa: SIM118


def test_an_image_file_has_no_series_to_refer_to(pet_file: Path) -> None:
    scan = read_scan(pet_file)
    with pytest.raises(InputError, match="this PET is an image file; give the folder of the series"):
        read_source(scan.volume, scan.files)


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "StudyInstanceUID"])
def test_a_series_without_what_others_refer_to_is_refused(keyword: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"lacks {keyword}"):
        small_scan(tmp_path, edit=lambda image, k: delattr(image, keyword))


def test_slices_in_two_frames_of_reference_are_refused(tmp_path: Path) -> None:
    def edit(image, k):
        image.FrameOfReferenceUID = f"2.25.{1 + k // 3}"

    with pytest.raises(InputError, match=r"differ in FrameOfReferenceUID \(0020,0052\)"):
        small_scan(tmp_path, edit=edit)


def test_a_series_that_changed_since_it_was_read_is_refused(tmp_path: Path) -> None:
    scan = small_scan(tmp_path).scan
    write_series(tmp_path, counting_voxels((5, 3, 3)))
    with pytest.raises(InputError, match="changed while it was segmented"):
        read_source(scan.volume, scan.files)


def test_a_slice_that_became_something_else_is_refused(tmp_path: Path) -> None:
    small = small_scan(tmp_path)
    small.paths[2].with_suffix(".dcm").write_bytes(b"")
    with pytest.raises(InputError, match="changed while the PET was segmented"):
        read_source(small.scan.volume, small.scan.files)


def test_a_series_of_several_frames_a_file_is_refused(tmp_path: Path) -> None:
    small = small_scan(tmp_path)
    image = pydicom.dcmread(small.paths[0])
    image.NumberOfFrames = 2
    image.save_as(small.paths[0])
    with pytest.raises(InputError, match="this PET is multi-frame DICOM; export it as single-frame"):
        read_source(small.scan.volume, small.scan.files)
