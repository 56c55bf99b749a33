"""Endings of file names as kinds of DICOM objects."""

from pathlib import Path

import pytest

from SegAnyPETLib.dicom_out.kinds import DicomKind, kind_of, with_segmentation


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.dcm", DicomKind.SEGMENTATION),
        ("A.DCM", DicomKind.SEGMENTATION),
        ("a.sr.dcm", DicomKind.REPORT),
        ("a.rtss.dcm", DicomKind.CONTOURS),
        ("a.labelmap.dcm", DicomKind.LABEL_MAP),
        ("a.seg.nrrd", None),
        ("dcm", None),
    ],
)
def test_the_ending_says_what_a_file_holds(name: str, kind: DicomKind | None) -> None:
    assert kind_of(Path(name)) is kind


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (["a.sr.dcm"], ["a.sr.dcm", "a.dcm"]),
        (["A.SR.DCM", "b.nrrd"], ["A.SR.DCM", "b.nrrd", "A.dcm"]),
        (["a.sr.dcm", "other.dcm"], ["a.sr.dcm", "other.dcm"]),
        (["a.nrrd"], ["a.nrrd"]),
    ],
)
def test_a_report_has_its_segmentation_beside_it_unless_there_is_one(given: list[str], written: list[str]) -> None:
    assert [str(path) for path in with_segmentation([Path(name) for name in given])] == written
