"""From a whole scan to candidates, decisions and segments."""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path

import highdicom
import numpy as np
import pytest

from SegAnyPETLib.cli import main
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.pet.reading import read_scan
from SegAnyPETLib.volume.dicom.reference.read import read_reference_mask
from SegAnyPETLib.volume.io import read_labels, write_volume
from SegAnyPETLib.volume.segmentation import read_segmentation
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_fixtures import write_series

MATRIX = np.array([[-4.0, 0, 0, 40], [0, -5.0, 0, 30], [0, 0, 3.0, -100], [0, 0, 0, 1]])


@pytest.fixture
def pet() -> Volume:
    """A warm box with three hot cubes: of 64, 27 and 8 voxels."""
    array = np.ones((20, 24, 30), np.float32)
    array[5:9, 4:8, 9:13] = 8.0
    array[12:15, 15:18, 20:23] = 6.0
    array[2:4, 18:20, 3:5] = 5.0
    return Volume(array, MATRIX)


@pytest.fixture
def propose(pet_file: Path) -> list[str]:
    return ["propose", str(pet_file), "--units", "suv", "--criterion", "suv4"]


def states(path: Path) -> list[str]:
    return [proposal["state"] for proposal in json.loads(path.read_text())["proposals"]]


def test_hot_spots_are_proposed_and_nothing_is_decided(
    propose: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    review = tmp_path / "review.json"
    assert main([*propose, "--output", str(review), "--output", str(tmp_path / "review.csv")]) == 0
    assert states(review) == ["open"] * 3
    out = capfd.readouterr().out
    assert "3 proposals (3 open, 0 accepted, 0 rejected)" in out
    assert "it is no diagnosis" in out
    assert "Research use only" in out
    assert len((tmp_path / "review.csv").read_text().splitlines()) == 4


def test_a_review_is_gone_on_with_and_what_is_accepted_becomes_segments(
    propose: list[str], pet: Volume, tmp_path: Path
) -> None:
    review, lesions = tmp_path / "review.json", tmp_path / "lesions.seg.nrrd"
    main([*propose, "--output", str(review)])
    volumes = [p["volume_ml"] for p in json.loads(review.read_text())["proposals"]]
    small = 1 + int(np.argmin(volumes))
    assert main([*propose, "--review", str(review), "--reject", str(small), "--output", str(review)]) == 0
    assert main([*propose, "--review", str(review), "--accept", "all", "--output", str(lesions)]) == 0
    _, segments = read_segmentation(lesions)
    assert len(segments) == 2
    union = sum(segment.mask_kji for segment in segments)
    assert np.array_equal(union, (pet.array_kji >= 6).astype(int))
    assert "suv4, proposal" in segments[0].tags["SegAnyPET.Proposal"]


def test_proposals_are_no_segments_until_they_are_accepted(
    propose: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "lesions.nii.gz"
    assert main([*propose, "--output", str(output)]) == 2
    assert not output.exists()
    assert "nothing is accepted" in capfd.readouterr().err


def test_decisions_by_score_touch_only_what_is_open(propose: list[str], tmp_path: Path) -> None:
    review = tmp_path / "review.json"
    assert main([*propose, "--reject", "1", "--output", str(review)]) == 0
    assert main([*propose, "--review", str(review), "--accept-from", "0", "--output", str(review)]) == 0
    assert states(review) == ["rejected", "accepted", "accepted"]


@pytest.mark.slow
def test_accepted_lesions_are_refined_by_the_model(propose: list[str], model_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "lesions.seg.nrrd"
    model = ["--model", str(model_file), "--threads", "1"]
    assert main([*propose, "--accept", "1", "--refine", *model, "--output", str(output)]) == 0
    _, (segment,) = read_segmentation(output)
    assert segment.mask_kji.any()


def test_what_stands_out_is_proposed_unless_another_criterion_is_asked_for(pet_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "review.json"
    assert main(["propose", str(pet_file), "--units", "suv", "--output", str(output)]) == 0
    review = json.loads(output.read_text())
    assert review["criterion"] == "contrast"
    assert sorted(p["suv_max"] for p in review["proposals"]) == [5, 6, 8]


def test_a_label_map_of_lesions_lies_on_the_grid(propose: list[str], pet: Volume, tmp_path: Path) -> None:
    output = tmp_path / "lesions.nii.gz"
    assert main([*propose, "--accept", "1-3", "--output", str(output)]) == 0
    labels = read_labels(output)
    assert labels.same_grid(pet)
    assert sorted(np.unique(labels.array_kji)) == [0, 1, 2, 3]


def line_of(capfd: pytest.CaptureFixture[str]) -> str:
    (line,) = capfd.readouterr().err.strip().splitlines()
    return line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--criterion", "percist"], "needs the liver"),
        (["--criterion", "percist", "--liver", "-900,0,0"], "outside the volume"),
        (["--accept", "9"], "no proposal 9"),
        (["--accept", "1", "--reject", "1-2"], "both accepted and rejected"),
        (["--reject-kind", "wing"], "no proposal looks like 'wing'"),
        (["--refine"], "--refine makes segments"),
        (["--min-volume-ml", "0"], "is no volume"),
        (["--min-volume-ml", "5000"], "nothing to propose"),
        (["--accept", "x"], "no list of numbers"),
        (["--accept-from", "2"], "no score from 0 to 1"),
        (["--review", "absent.json"], "absent.json is not there"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    options: list[str], message: str, propose: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*propose, *options, "--output", str(tmp_path / "review.json")]) == 2
    assert message in line_of(capfd)
    assert not (tmp_path / "review.json").exists()


def test_a_scan_without_a_lesion_is_said_in_one_line(
    pet: Volume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_volume(pet.with_array(np.minimum(pet.array_kji, 2)), tmp_path / "cold.nii.gz")
    assert main(["propose", str(tmp_path / "cold.nii.gz"), "--units", "suv", "--output", str(tmp_path / "a.json")]) == 2
    assert "nothing to propose" in line_of(capfd)


def test_one_hot_blob_and_values_that_are_no_suv_are_said_in_one_line(
    pet: Volume, pet_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_volume(pet.with_array(pet.array_kji + 5), tmp_path / "hot.nii.gz")
    assert main(["propose", str(tmp_path / "hot.nii.gz"), "--units", "suv", "--output", str(tmp_path / "a.json")]) == 2
    assert "100 % of the body lies above 1.5" in line_of(capfd)
    assert main(["propose", str(pet_file), "--output", str(tmp_path / "a.json")]) == 2
    assert "does not say that its values are SUV" in line_of(capfd)


def test_accepted_lesions_of_a_series_become_dicom_objects(tmp_path: Path) -> None:
    stored = np.full((20, 24, 30), 3000, np.int16)
    stored[5:9, 4:8, 9:13], stored[12:15, 15:18, 20:23] = 32000, 30000
    write_series(tmp_path / "series", stored)
    names = ("l.seg.nrrd", "l.sr.dcm", "l.rtss.dcm")
    outputs = [word for name in names for word in ("--output", str(tmp_path / name))]
    options = ["--criterion", "suv2.5", "--accept", "all"]
    assert main(["propose", str(tmp_path / "series"), *options, *outputs]) == 0
    scan = read_scan(tmp_path / "series")
    _, segments = read_segmentation(tmp_path / "l.seg.nrrd")
    groups = highdicom.sr.srread(tmp_path / "l.sr.dcm").content.get_volumetric_roi_measurement_groups()
    tracked = highdicom.seg.segread(tmp_path / "l.dcm").SegmentSequence
    assert len(segments) == len(groups) == len(tracked) == 2
    for segment, group, one in zip(segments, groups, tracked, strict=True):
        for name in ("l.dcm", "l.rtss.dcm"):
            found = read_reference_mask(tmp_path / name, scan.volume, segment.name, scan.files)
            assert np.array_equal(found.volume.array_kji, segment.mask_kji)
        assert (group.tracking_identifier, group.tracking_uid) == (segment.name, one.tracking_uid)
        measured = sorted(each.value for each in group.get_measurements())
        assert measured == pytest.approx(sorted(astuple(quantities(scan.volume, segment.mask_kji))))
        assert one.algorithm_identification.family.meaning == "Histogram Analysis"
        assert one.algorithm_identification.name == "SegAnyPET threshold suv2.5"


def test_dicom_of_an_image_file_is_refused(
    propose: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*propose, "--accept", "all", "--output", str(tmp_path / "l.dcm")]) == 2
    assert "this PET is an image file; give the folder of the series" in capfd.readouterr().err
