"""From a scan and a mask to the quantities of a patient, and the change since an earlier scan."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pydicom
import pytest

from SegAnyPETLib.cli import main
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.pet.reading import read_scan
from SegAnyPETLib.reports.whole_body.burden_file import BurdenFields
from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.segmentation import Segment, write_segmentation
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_fixtures import counting_voxels, write_series
from Testing.pet.burden.test_alignment import body
from Testing.volume.dicom.reference.structure_sets import square, structure_set, write


@pytest.fixture
def pet() -> Volume:
    """An upright body with two lesions, of 8 and 27 ml."""
    whole = body()
    array = whole.array_kji.copy()
    array[20:22, 10:12, 10:12] = 7.0
    array[38:41, 12:15, 20:23] = 6.0
    return whole.with_array(array, "SUVbw")


@pytest.fixture
def labels(pet: Volume) -> Volume:
    labels = np.zeros(pet.shape_kji, np.uint8)
    labels[20:22, 10:12, 10:12], labels[38:41, 12:15, 20:23] = 1, 2
    return pet.with_array(labels)


@pytest.fixture
def burden(pet: Volume, labels: Volume, tmp_path: Path) -> list[str]:
    write_volume(pet, tmp_path / "pet.nii.gz")
    write_volume(labels, tmp_path / "lesions.nii.gz")
    return ["burden", str(tmp_path / "pet.nii.gz"), "--units", "suv", "--mask", str(tmp_path / "lesions.nii.gz")]


def line_of(capfd: pytest.CaptureFixture[str]) -> str:
    (line,) = capfd.readouterr().err.strip().splitlines()
    return line


def test_json_holds_what_its_schema_says_and_equals_an_independent_computation(
    burden: list[str], pet: Volume, labels: Volume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*burden, "--output", str(tmp_path / "b.json"), "--liver", "240,100,300"]) == 0
    found = BurdenFields.model_validate_json((tmp_path / "b.json").read_text())
    whole = quantities(pet, labels.array_kji > 0)
    assert found.quantities.lesions == 2
    assert found.quantities.mtv_ml == pytest.approx(35)
    assert found.quantities.tlg == pytest.approx(whole.tlg, rel=1e-6)
    assert found.quantities.suv_max == pytest.approx(whole.suv_max)
    assert [lesion.volume_ml for lesion in found.lesions] == pytest.approx([27, 8])
    assert found.liver is not None
    assert found.liver.measurable == 2
    assert found.change is None
    out = capfd.readouterr().out
    assert "MTV              35.00 ml" in out
    assert NOTICE in out


def test_table_has_a_line_for_all_and_one_for_each_lesion(burden: list[str], tmp_path: Path) -> None:
    assert main([*burden, "--output", str(tmp_path / "b.csv")]) == 0
    rows = list(csv.DictReader((tmp_path / "b.csv").read_text().splitlines()))
    assert [row["number"] for row in rows] == ["all", "1", "2"]
    assert [float(row["volume_ml"]) for row in rows] == pytest.approx([35, 27, 8])


def test_everything_is_shown_by_lean_body_mass_that_percist_is_defined_for(
    pet: Volume, labels: Volume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def edit(image: pydicom.Dataset, k: int) -> None:
        image.PatientSize, image.PatientSex = "1.75", "F"

    write_series(tmp_path / "dicom", np.rint(2000 * pet.array_kji), edit=edit)
    write_volume(read_scan(tmp_path / "dicom").volume.with_array(labels.array_kji), tmp_path / "dicom.nii.gz")
    options = ["burden", str(tmp_path / "dicom"), "--mask", str(tmp_path / "dicom.nii.gz"), "--liver", "-40,-40,40"]
    found = []
    for name in ("bw", "lbm"):
        main([*options, "--suv-type", name, "--output", str(tmp_path / f"{name}.json")])
        found.append(BurdenFields.model_validate_json((tmp_path / f"{name}.json").read_text()))
    by_weight, by_lean_mass = found
    lean = 9270 / (8780 + 244 * 70 / 1.75**2)
    for field in ("suv_max", "suv_mean", "suv_peak", "suv_peak_local", "tlg"):
        values = [getattr(fields.quantities, field) for fields in found]
        assert values[1] == pytest.approx(lean * values[0])
        assert getattr(by_lean_mass.lesions[0], field) == pytest.approx(lean * getattr(by_weight.lesions[0], field))
    assert by_lean_mass.quantities.mtv_ml_by_method == by_weight.quantities.mtv_ml_by_method
    assert (by_weight.scan.units, by_lean_mass.scan.units) == ("SUVbw", "SUVlbm")
    assert by_weight.liver is not None
    assert by_lean_mass.liver is not None
    assert by_lean_mass.liver.percist_minimum == pytest.approx(lean * by_weight.liver.percist_minimum)
    assert by_lean_mass.liver.measurable == by_weight.liver.measurable
    out = capfd.readouterr().out
    assert "SUV              SUVlbm\n" in out
    assert "assumed          reference time by SeriesTime (0008,0031), 60.0 min after the injection\n" in out


def test_report_stands_alone_and_names_nobody(burden: list[str], tmp_path: Path) -> None:
    assert main([*burden, "--output", str(tmp_path / "b.html")]) == 0
    page = (tmp_path / "b.html").read_text()
    assert NOTICE in page
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert "<td>35.00</td>" in page
    assert "pet.nii.gz" not in page
    assert str(tmp_path) not in page


def test_each_segment_is_a_lesion_and_shared_voxels_count_once(
    burden: list[str], pet: Volume, labels: Volume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first, whole = labels.array_kji == 1, labels.array_kji > 0
    names = {"node": first, "rest": whole, "nothing": np.zeros_like(whole)}
    path = tmp_path / "l.seg.nrrd"
    write_segmentation(pet, [Segment(name, mask) for name, mask in names.items()], path)
    assert main([*burden[:-1], str(path), "--output", str(tmp_path / "b.json")]) == 0
    found = json.loads((tmp_path / "b.json").read_text())
    assert {lesion["name"]: lesion["volume_ml"] for lesion in found["lesions"]} == pytest.approx(
        {"node": 8, "rest": 27}
    )
    out = capfd.readouterr().out
    assert "8 voxels belong to several segments" in out
    assert "1 segments have no voxel of their own" in out


def test_a_single_segment_is_split_into_its_parts(
    burden: list[str], pet: Volume, labels: Volume, tmp_path: Path
) -> None:
    path = tmp_path / "l.seg.nrrd"
    write_segmentation(pet, [Segment("disease", labels.array_kji > 0)], path)
    assert main([*burden[:-1], str(path), "--output", str(tmp_path / "b.json")]) == 0
    assert [lesion["volume_ml"] for lesion in json.loads((tmp_path / "b.json").read_text())["lesions"]] == [27, 8]


@pytest.fixture
def earlier(pet: Volume, labels: Volume, tmp_path: Path) -> list[str]:
    """Options of an earlier scan, with one of the lesions and another one."""
    array, mask = pet.array_kji.copy(), labels.array_kji.copy()
    array[20:22, 10:12, 10:12], mask[20:22, 10:12, 10:12] = 0.6, 0
    array[10:12, 12:14, 20:22], mask[10:12, 12:14, 20:22] = 9.0, 1
    write_volume(pet.with_array(array), tmp_path / "before.nii.gz")
    write_volume(pet.with_array(mask), tmp_path / "before_mask.nii.gz")
    return ["--before", str(tmp_path / "before.nii.gz"), "--before-mask", str(tmp_path / "before_mask.nii.gz")]


def test_change_tells_what_is_new_gone_and_the_same(
    burden: list[str], earlier: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    outputs = ["--output", str(tmp_path / "b.json"), "--output", str(tmp_path / "b.html")]
    assert main([*burden, *earlier, *outputs]) == 0
    change = json.loads((tmp_path / "b.json").read_text())["change"]
    assert [one["fate"] for one in change["lesions"]] == ["stable", "gone", "new"]
    assert change["percist_suggestion"] == "PMD"
    assert change["body_overlap"] > 0.95
    out = capfd.readouterr().out
    assert "1 new, 1 gone, 0 grown, 0 shrunk, 1 stable" in out
    assert "a research suggestion" in out
    assert "research suggestion: PMD (1 new lesion)" in (tmp_path / "b.html").read_text()


def test_nothing_left_is_a_complete_response(
    burden: list[str], earlier: list[str], labels: Volume, tmp_path: Path
) -> None:
    write_volume(labels.with_array(np.zeros_like(labels.array_kji)), tmp_path / "lesions.nii.gz")
    outputs = ["--output", str(tmp_path / "b.json"), "--output", str(tmp_path / "b.html")]
    assert main([*burden, *earlier, *outputs]) == 0
    found = json.loads((tmp_path / "b.json").read_text())
    assert found["quantities"]["lesions"] == 0
    assert found["change"]["percist_suggestion"] == "CMR"


def test_bodies_that_do_not_fit_are_refused_unless_forced(
    burden: list[str], earlier: list[str], pet: Volume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    array = pet.array_kji.copy()
    array[:, :, :19] = 0  # less than half of a body
    write_volume(pet.with_array(array), tmp_path / "before.nii.gz")
    assert main([*burden, *earlier]) == 2
    assert "different patients" in line_of(capfd)
    assert main([*burden, *earlier, "--force"]) == 0


def test_dicom_series_of_different_patients_are_refused_by_their_identifier(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    voxels = 1000 * counting_voxels((4, 3, 2))
    for name in ("one", "other"):
        write_series(tmp_path / name, voxels)
    rename(tmp_path / "other")
    pet = read_scan(tmp_path / "one").volume
    write_volume(pet.with_array((pet.array_kji >= pet.array_kji.max()).astype(np.uint8)), tmp_path / "m.nii.gz")
    mask = str(tmp_path / "m.nii.gz")
    earlier = ["--before", str(tmp_path / "other"), "--before-mask", mask]
    assert main(["burden", str(tmp_path / "one"), "--mask", mask, *earlier]) == 2
    error = line_of(capfd)
    assert "different patients, by their Patient ID" in error
    assert "SOMEBODY" not in error


def rename(folder: Path) -> None:
    """Give the slices of a folder another patient."""
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.PatientID = "SOMEBODY"
        dataset.save_as(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--before", "pet"], "give both"),
        (["--force"], "--force is about an earlier scan"),
        (["--output", "b.txt"], "unknown ending"),
        (["--liver", "-900,0,0"], "outside the volume"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    options: list[str], message: str, burden: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*burden, *options]) == 2
    assert message in line_of(capfd)


def test_a_mask_without_a_lesion_and_values_that_are_no_suv_are_said_in_one_line(
    burden: list[str], labels: Volume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*burden[:2], *burden[4:]]) == 2
    assert "does not say that its values are SUV" in line_of(capfd)
    write_volume(labels.with_array(np.zeros_like(labels.array_kji)), tmp_path / "lesions.nii.gz")
    assert main(burden) == 2
    assert "no lesion to measure" in line_of(capfd)


def test_each_region_of_a_structure_set_is_a_lesion(
    burden: list[str], pet: Volume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    regions = {
        "node": [square((9.5, 11.5), (9.5, 11.5), k) for k in (20, 21)],
        "rest": [square((19.5, 22.5), (11.5, 14.5), k) for k in (38, 39, 40)],
    }
    path = write(structure_set(pet, regions), tmp_path)
    assert main([*burden[:-1], str(path), "--output", str(tmp_path / "b.json")]) == 0
    found = json.loads((tmp_path / "b.json").read_text())
    assert {lesion["name"]: lesion["volume_ml"] for lesion in found["lesions"]} == pytest.approx(
        {"node": 8, "rest": 27}
    )
    assert "do not both say their frame of reference" in capfd.readouterr().out
