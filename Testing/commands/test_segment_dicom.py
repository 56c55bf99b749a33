"""Results of a DICOM series as DICOM objects, from the command line."""

from __future__ import annotations

import builtins
from dataclasses import astuple
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.cli import main
from SegAnyPETLib.evaluation.metrics import dice
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.pet.reading import read_scan
from SegAnyPETLib.prompts import MaskPrompt
from SegAnyPETLib.session.saved_prompts import SavedPrompts
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.dicom.reference.read import read_reference_mask
from SegAnyPETLib.volume.segmentation import read_segmentation
from Testing.commands.test_segment import INSIDE, ras
from Testing.dicom_fixtures import write_series
from Testing.rtstruct import mask_from_rtstruct


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A warm box with a hot cube at (k, j, i) = 5..8, 4..7, 9..12."""
    stored = np.full((14, 12, 20), 3000, np.int16)
    stored[5:9, 4:8, 9:13] = 30000
    write_series(tmp_path / "series", stored)
    return tmp_path / "series"


@pytest.fixture
def command(series: Path, model_file: Path) -> list[str]:
    """A command with a click that lacks its output."""
    k, j, i = INSIDE
    clicks = ["--point", f"{i},{j},{k}", "--coordinates", "ijk"]
    return ["segment", str(series), "--model", str(model_file), "--threads", "1", *clicks]


def outputs(*paths: Path) -> list[str]:
    return [word for path in paths for word in ("--output", str(path))]


def test_several_outputs_hold_the_same_mask(
    command: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    nrrd, dicom = tmp_path / "out.seg.nrrd", tmp_path / "out.dcm"
    assert main([*command, *outputs(nrrd, dicom)]) == 0
    _, (segment,) = read_segmentation(nrrd)
    seg = pydicom.dcmread(dicom)
    assert int(seg.pixel_array.sum()) == int(segment.mask_kji.sum()) > 0
    parameters = seg.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0].AlgorithmParameters
    assert f"WeightsSHA256={segment.tags['SegAnyPET.WeightsSHA256']}" in parameters
    printed = capfd.readouterr().out.splitlines()
    assert [line.split(maxsplit=1)[1] for line in printed if line.startswith("mask ")] == [str(nrrd), str(dicom)]


def test_dicom_of_an_image_file_is_refused_before_any_work(
    pet_file: Path, model_file: Path, pet, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["segment", str(pet_file), "--model", str(model_file), "--point", ras(pet, INSIDE)]
    assert main([*command, *outputs(tmp_path / "out.nii.gz", tmp_path / "out.dcm")]) == 2
    assert "this PET is an image file; give the folder of the series" in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["pet.nii.gz"]


def test_a_file_of_the_series_is_not_replaced(
    command: list[str], series: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = min(series.iterdir())
    before = first.read_bytes()
    assert main([*command, *outputs(first)]) == 2
    assert f"{first.name} is read by this command and must not be replaced" in capfd.readouterr().err
    assert first.read_bytes() == before


def test_a_missing_highdicom_is_named_with_its_extra(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    whole_import = builtins.__import__

    def without_highdicom(name: str, *rest: object, **named: object) -> object:
        if name.partition(".")[0] == "highdicom":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return whole_import(name, *rest, **named)  # type: ignore[arg-type]

    for module in ("segmentation", "report", "write"):
        monkeypatch.delitem(__import__("sys").modules, f"SegAnyPETLib.dicom_out.{module}", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_highdicom)
    assert main([*command, *outputs(tmp_path / "out.dcm")]) == 1
    assert "needs highdicom, which is not installed" in (told := capfd.readouterr().err)
    assert "pip install '.[dicom]'" in told


def test_a_report_holds_the_printed_numbers_what_was_assumed_and_the_doubts(
    command: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, *outputs(tmp_path / "out.sr.dcm")]) == 0
    out = capfd.readouterr().out
    printed = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert (printed["report"], printed["mask"]) == (str(tmp_path / "out.sr.dcm"), str(tmp_path / "out.dcm"))
    report = highdicom.sr.srread(tmp_path / "out.sr.dcm")
    (group,) = report.content.get_volumetric_roi_measurement_groups()
    found = {(m.name.meaning, m.derivation and m.derivation.meaning): m.value for m in group.get_measurements()}
    assert printed["SUVmax"] == f"{found['SUVbw', 'Maximum']:.2f}"
    assert printed["SUVmean"] == f"{found['SUVbw', 'Mean']:.2f}"
    assert printed["SUVpeak"] == f"{found['SUVbw', 'Peak Value Within ROI']:.2f}"
    assert printed["volume"] == f"{found['Metabolic Volume', None]:.2f} ml"
    assert printed["TLG"] == f"{found['Total Lesion Glycolysis', None]:.1f} g"
    notes = [line.removeprefix("note: ") for line in out.splitlines() if line.startswith("note: ")]
    comments = [item.TextValue for item in report.content[0].ContentSequence if item.name.meaning == "Comment"]
    assert comments == ["Research use only, not a medical device.", f"assumed: {printed['assumed']}", *notes]


@pytest.mark.parametrize("name", ["draft.dcm", "draft.rtss.dcm"])
def test_a_result_is_a_mask_to_start_from(name: str, command: list[str], tmp_path: Path) -> None:
    draft, output = tmp_path / name, tmp_path / "out.seg.nrrd"
    assert main([*command, *outputs(draft, tmp_path / "draft.seg.nrrd")]) == 0
    assert main([*command, "--mask", str(draft), "--mask-segment", "Target", *outputs(output)]) == 0
    _, (first,) = read_segmentation(tmp_path / "draft.seg.nrrd")
    _, (second,) = read_segmentation(output)
    prompt = SavedPrompts.from_json(second.tags["SegAnyPET.Prompts"]).prompts[0]
    assert isinstance(prompt, MaskPrompt)
    assert np.array_equal(prompt.mask.to_array(first.mask_kji.shape), first.mask_kji)


def test_a_real_patient_goes_round_from_contours_to_three_objects(shared_data: Path, tmp_path: Path) -> None:
    """Three clicks on a whole-body FDG-PET, guided by the RTSTRUCT of its patient; all that is written is read back."""
    folder = shared_data / "wholebody_fdg_dicom"
    scan = read_scan(folder)
    pet, contours = scan.volume, shared_data / "wholebody_fdg_rtstruct" / "gtv.dcm"
    tumour = read_reference_mask(contours, pet, "GTV_Mass", scan.files).volume.array_kji
    session = InteractiveSession(pet, load_backend("lite"))
    user, found, clicks = RobotUser("ideal", seed=0), None, []
    for _ in range(3):
        point = user.next_point(pet.with_array(tumour), found)
        assert point is not None
        session.add_point(point)
        found = session.mask_kji
        clicks += ["--point" if point.positive else "--negative", ",".join(f"{c:.4f}" for c in point.ras)]
    paths = [tmp_path / name for name in ("a.seg.nrrd", "a.dcm", "a.sr.dcm", "a.rtss.dcm")]
    assert main(["segment", str(folder), *clicks, *outputs(*paths)]) == 0
    _, (segment,) = read_segmentation(paths[0])
    assert dice(segment.mask_kji, tumour) > 0.7
    for path in (paths[1], paths[3]):
        assert np.array_equal(read_reference_mask(path, pet, files=scan.files).volume.array_kji, segment.mask_kji)
    assert np.array_equal(mask_from_rtstruct(paths[3], "Target", pet), segment.mask_kji)
    (group,) = highdicom.sr.srread(paths[2]).content.get_volumetric_roi_measurement_groups()
    measured = quantities(pet, segment.mask_kji)
    found_values = sorted(each.value for each in group.get_measurements())
    assert found_values == pytest.approx(sorted(astuple(measured)), rel=1e-12)
