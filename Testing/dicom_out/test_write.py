"""Objects of series whose tags are as they are found in the wild."""

from pathlib import Path

import pydicom
import pytest

from SegAnyPETLib.dicom_out.write import write_dicom
from SegAnyPETLib.errors import SegAnyPETError
from Testing.dicom_out.scans import block, small_scan

SHAPE = (5, 6, 7)
MASK = block(SHAPE, (1, 4), (1, 5), (2, 6))
NAMES = ("a.dcm", "a.labelmap.dcm", "a.sr.dcm", "a.rtss.dcm")


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [
        ("AccessionNumber", "SH", "0123456789abcdef0123456789abcdef"),
        ("PatientID", "LO", "x" * 80),
        ("StudyID", "SH", "a study id of more than 16 characters"),
        ("PatientName", "PN", "One^Two^Three^Four^Five^Six^Seven"),
        ("PatientAge", "AS", "59"),
        ("StudyDescription", "LO", "y" * 80),
    ],
)
def test_identifiers_longer_than_the_standard_allows_stay_what_they_are(
    keyword: str, vr: str, value: str, tmp_path: Path
) -> None:
    with pydicom.config.disable_value_validation():
        small = small_scan(tmp_path / "series", edit=lambda image, k: image.add_new(keyword, vr, value))
    write_dicom(small.source, [small.target(MASK)], [tmp_path / name for name in NAMES])
    with pydicom.config.disable_value_validation():
        assert {str(pydicom.dcmread(tmp_path / name)[keyword].value) for name in NAMES} == {value}


@pytest.mark.parametrize("keyword", ["StudyDate", "StudyTime", "PatientBirthDate", "PatientSex"])
@pytest.mark.parametrize("value", ["", "rubbish", "20201301", "11:17:11"])
def test_dates_and_sex_of_any_form_end_in_files(keyword: str, value: str, tmp_path: Path) -> None:
    def edit(image, k):
        image.add_new(keyword, pydicom.datadict.dictionary_VR(keyword), value)

    with pydicom.config.disable_value_validation():
        small = small_scan(tmp_path / "series", edit=edit)
    write_dicom(small.source, [small.target(MASK)], [tmp_path / name for name in NAMES])
    for name in NAMES:
        assert pydicom.dcmread(tmp_path / name).StudyInstanceUID == small.source.first.StudyInstanceUID


def test_a_folder_that_is_not_there_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    small = small_scan(tmp_path / "series")
    with pytest.raises(SegAnyPETError, match="cannot be written"):
        write_dicom(small.source, [small.target(MASK)], [tmp_path / "a.dcm", tmp_path / "none" / "a.rtss.dcm"])
    assert [path.name for path in tmp_path.iterdir()] == ["series"]
