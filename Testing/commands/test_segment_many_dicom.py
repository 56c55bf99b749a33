"""DICOM results of many cases."""

from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest

from SegAnyPETLib.cli import main
from SegAnyPETLib.pet.reading import read_pet
from SegAnyPETLib.volume.segmentation import read_segmentation
from Testing.commands.test_segment_dicom import series
from Testing.commands.test_segment_many import INSIDE, OUTSIDE, click, command, names, rows_of, write_list
from Testing.rtstruct import mask_from_rtstruct

__all__ = ["series"]

pytestmark = pytest.mark.slow


def test_all_targets_of_a_case_are_in_each_of_its_objects(series: Path, model_file: Path, tmp_path: Path) -> None:
    pet = read_pet(series)
    targets = [
        {"name": "Low", "clicks": [click(pet, INSIDE)]},
        {"name": "High", "clicks": [click(pet, OUTSIDE)]},
    ]
    case = {"id": "a", "image": "series", "targets": targets}
    assert main(command(write_list(tmp_path, case), model_file, "--dicom", "sr", "rtss")) == 0
    folder = tmp_path / "masks"
    assert names(folder) == ["a.rtss.dcm", "a.seg.dcm", "a.seg.nrrd", "a.sr.dcm", "quantities.csv"]
    _, segments = read_segmentation(folder / "a.seg.nrrd")
    seg = highdicom.seg.segread(folder / "a.seg.dcm")
    assert [each.segment_label for each in seg.SegmentSequence] == ["Low", "High"]
    groups = highdicom.sr.srread(folder / "a.sr.dcm").content.get_volumetric_roi_measurement_groups()
    for number, (segment, group, row) in enumerate(zip(segments, groups, rows_of(folder), strict=True), start=1):
        assert np.array_equal(mask_from_rtstruct(folder / "a.rtss.dcm", segment.name, pet), segment.mask_kji)
        tracked = seg.SegmentSequence[number - 1]
        assert (tracked.tracking_id, tracked.tracking_uid) == (group.tracking_identifier, group.tracking_uid)
        volume = next(m.value for m in group.get_measurements() if m.name.meaning == "Metabolic Volume")
        assert float(row["volume_ml"]) == pytest.approx(volume, rel=1e-5)
        assert int(group.referenced_segment[0].referenced_segment_numbers[0]) == number
    assert int(pydicom.dcmread(folder / "a.seg.dcm").pixel_array.sum()) == sum(
        int(segment.mask_kji.sum()) for segment in segments
    )


def test_a_case_that_is_an_image_file_fails_alone(
    series: Path, pet, pet_file: Path, model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cases = [
        {"id": "file", "image": pet_file.name, "clicks": [click(pet, INSIDE)]},
        {"id": "folder", "image": "series", "clicks": [click(read_pet(series), INSIDE)]},
    ]
    assert main(command(write_list(tmp_path, *cases), model_file, "--dicom", "seg")) == 1
    assert "file: a DICOM result refers to the images of a DICOM series" in capfd.readouterr().err
    assert names(tmp_path / "masks") == ["folder.seg.dcm", "folder.seg.nrrd", "quantities.csv"]


def test_an_unknown_kind_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["segment-many", str(tmp_path / "c.json"), "--output", "masks", "--dicom", "pdf"]) == 2
    assert "--dicom" in capfd.readouterr().err
