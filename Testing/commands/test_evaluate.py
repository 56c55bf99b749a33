"""From a manifest on the command line to a report."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from SegAnyPETLib.cli import main
from SegAnyPETLib.pet.reading import read_pet
from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.segmentation import Segment, write_segmentation
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_fixtures import write_series
from Testing.volume.dicom.reference.structure_sets import square, structure_set, write

pytestmark = pytest.mark.slow


@pytest.fixture
def manifest(pet: Volume, pet_file: Path, tmp_path: Path) -> Path:
    """One case with two targets."""
    labels = np.zeros(pet.shape_kji, np.uint8)
    labels[5:9, 4:8, 9:13] = 1
    labels[1:4, 1:4, 1:4] = 7
    write_volume(pet.with_array(labels), tmp_path / "labels.nii.gz")
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": [{"id": "box", "image": pet_file.name, "label": "labels.nii.gz"}]}))
    return path


def test_the_report_has_a_curve_for_every_target(
    manifest: Path, model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "report.json"
    options = ["--model", str(model_file), "--clicks", "2", "--baselines", "--output", str(output)]
    options += ["--html", str(tmp_path / "report.html")]
    assert main(["evaluate", "--manifest", str(manifest), *options]) == 0
    result = json.loads(output.read_text())
    assert (result["model"], result["clicks"]) == (str(model_file), 2)
    assert [(t["case"], t["label"]) for t in result["targets"]] == [("box", 1), ("box", 7)]
    for target in result["targets"]:
        assert [len(target[key]) for key in ("dice", "nsd_2mm", "hd95_mm", "seconds")] == [2, 2, 2, 2]
    assert result["targets"][0]["volume_ml"] == pytest.approx(64 * 0.06)
    assert result["summary"]["all"]["count"] == 2
    assert result["baselines"]
    printed = capfd.readouterr().out
    assert "all targets (2)" in printed
    assert str(output) in printed
    assert "Research use only" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "JSON"),
        ('{"cases": []}', "cases"),
        ('{"cases": [{"id": "a", "image": "none.nii.gz", "label": "labels.nii.gz"}]}', "none.nii.gz"),
        ('{"cases": [{"id": "a", "image": "pet.nii.gz", "label": "other.nii.gz"}]}', "grid"),
    ],
)
def test_a_manifest_that_cannot_be_used_leaves_the_last_report(
    content: str,
    reason: str,
    manifest: Path,
    model_file: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = manifest.parent
    write_volume(Volume(np.ones((3, 3, 3), np.uint8), np.eye(4)), folder / "other.nii.gz")
    manifest.write_text(content)
    output = folder / "report.json"
    output.write_text("the last report")
    before = sorted(folder.iterdir())
    assert main(["evaluate", "--manifest", str(manifest), "--model", str(model_file), "--output", str(output)]) == 2
    err = capfd.readouterr().err
    assert reason in err
    assert err.count("\n") == 1
    assert output.read_text() == "the last report"
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("output", ["report.txt", "absent/report.json", "cases.json"])
def test_a_report_is_refused_where_it_cannot_or_must_not_be_written(
    output: str, manifest: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = manifest.read_text()
    assert main(["evaluate", "--manifest", str(manifest), "--output", str(manifest.parent / output)]) == 2
    assert capfd.readouterr().err.count("\n") == 1
    assert manifest.read_text() == before


def without_seconds(report: Path) -> dict[str, Any]:
    result = json.loads(report.read_text())
    for target in [*result["targets"], *(t for b in result["baselines"].values() for t in b["targets"])]:
        del target["seconds"]
    return result


def three_cases(manifest: Path) -> None:
    """The same case three times, the first and largest one of them last."""
    fields = json.loads(manifest.read_text())["cases"][0]
    manifest.write_text(json.dumps({"cases": [fields | {"id": name} for name in ("c", "a", "b")]}))


@pytest.mark.parametrize("options", [["--jobs", "2"], ["--jobs", "2", "--ray"]])
def test_many_processes_report_what_one_does(
    options: list[str], manifest: Path, model_file: Path, tmp_path: Path
) -> None:
    if "--ray" in options and find_spec("ray") is None:  # it must not be imported before the command does so
        pytest.skip("Ray is not installed")
    three_cases(manifest)
    command = ["evaluate", "--manifest", str(manifest), "--model", str(model_file), "--clicks", "2", "--threads", "1"]
    command += ["--robot", "noisy", "--baselines", "--output"]
    assert main([*command, str(tmp_path / "one.json")]) == 0
    assert main([*command, str(tmp_path / "many.json"), *options]) == 0
    one, many = (without_seconds(tmp_path / name) for name in ("one.json", "many.json"))
    assert [target["case"] for target in many["targets"]] == ["c", "c", "a", "a", "b", "b"]
    assert many == one


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_case_that_cannot_be_used_is_named_and_the_others_are_reported(
    jobs: str, manifest: Path, model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_volume(Volume(np.ones((3, 3, 3), np.uint8), np.eye(4)), tmp_path / "other.nii.gz")
    fields = json.loads(manifest.read_text())["cases"][0]
    manifest.write_text(json.dumps({"cases": [fields | {"id": "bad", "label": "other.nii.gz"}, fields]}))
    output = tmp_path / "report.json"
    options = ["--model", str(model_file), "--jobs", jobs, "--clicks", "1", "--output", str(output)]
    assert main(["evaluate", "--manifest", str(manifest), *options]) == 1
    printed = capfd.readouterr()
    assert printed.err.splitlines()[-1] == (
        "seganypet: error: 1 of 2 cases could not be evaluated; the report names the reasons"
    )
    assert "Not evaluated: case bad: the label map" in printed.out
    result = json.loads(output.read_text())
    assert [target["case"] for target in result["targets"]] == ["box", "box"]
    assert [failed["case"] for failed in result["failed"]] == ["bad"]


@pytest.mark.parametrize(("segment", "labels"), [(None, [1, 2]), ("Cold", [1])])
def test_regions_of_a_structure_set_are_targets(
    segment: str | None, labels: list[int], model_file: Path, tmp_path: Path
) -> None:
    stored = np.full((6, 12, 14), 3000, np.int16)
    stored[2:4, 3:7, 3:7] = 30000
    write_series(tmp_path / "series", stored)
    regions = {
        "Hot": [square((2.5, 6.5), (2.5, 6.5), k) for k in (2, 3)],
        "Cold": [square((8.5, 11.5), (2.5, 6.5), k) for k in (2, 3)],
    }
    write(structure_set(read_pet(tmp_path / "series"), regions), tmp_path)
    case = {"id": "a", "image": "series", "label": "contours.dcm"} | ({"label_segment": segment} if segment else {})
    (tmp_path / "cases.json").write_text(json.dumps({"cases": [case]}))
    output = tmp_path / "report.json"
    options = ["--model", str(model_file), "--clicks", "1", "--output", str(output)]
    assert main(["evaluate", "--manifest", str(tmp_path / "cases.json"), *options]) == 0
    targets = json.loads(output.read_text())["targets"]
    assert [target["label"] for target in targets] == labels
    assert targets[-1]["volume_ml"] == pytest.approx(24 * 0.06)


def test_a_segment_of_a_label_file_may_be_named(
    manifest: Path, pet: Volume, model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hot = pet.array_kji > 5
    write_segmentation(pet, [Segment("All", np.ones_like(hot)), Segment("Hot", hot)], tmp_path / "l.seg.nrrd")
    case = {"id": "a", "image": "pet.nii.gz", "label": "l.seg.nrrd", "label_segment": "Hot"}
    manifest.write_text(json.dumps({"cases": [case]}))
    output = tmp_path / "report.json"
    options = ["--model", str(model_file), "--clicks", "1", "--output", str(output)]
    assert main(["evaluate", "--manifest", str(manifest), *options]) == 0
    (target,) = json.loads(output.read_text())["targets"]
    assert target["volume_ml"] == pytest.approx(64 * 0.06)
    manifest.write_text(json.dumps({"cases": [case | {"label_segment": 3}]}))
    assert main(["evaluate", "--manifest", str(manifest), *options]) == 2
    assert '"label_segment" must be the name' in capfd.readouterr().err
