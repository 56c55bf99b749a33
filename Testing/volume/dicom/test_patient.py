from pathlib import Path

import pydicom
import pytest

from SegAnyPETLib.volume.dicom.patient import same_patient
from Testing.dicom_fixtures import counting_voxels, write_series


@pytest.mark.parametrize(("first", "second", "same"), [("A", "A ", True), ("A", "B", False), ("", "B", None)])
def test_patients_are_the_same_by_their_identifier(first: str, second: str, same: bool | None, tmp_path: Path) -> None:
    write_series(tmp_path, 1000 * counting_voxels((2, 3, 2)))
    paths = sorted(tmp_path.iterdir())
    for path, name in zip(paths, (first, second), strict=False):
        dataset = pydicom.dcmread(path)
        dataset.PatientID = name
        dataset.save_as(path)
    assert same_patient(paths[0], paths[1]) is same
