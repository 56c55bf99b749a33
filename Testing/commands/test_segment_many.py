"""From a list of clicks to a folder of segments and a table; over processes too, whatever happens to them."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from SegAnyPETLib.cli import main
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.session.saved_prompts import SavedPrompts
from SegAnyPETLib.volume.io import read_labels, write_volume
from SegAnyPETLib.volume.segmentation import read_segmentation
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_fixtures import write_series

pytestmark = pytest.mark.slow

#: Voxels (k, j, i) inside and outside of the hot cube.
INSIDE, OUTSIDE = (6, 5, 10), (6, 5, 15)


def click(pet: Volume, index_kji: tuple[int, int, int], positive: bool = True) -> dict[str, Any]:
    return {"ras": [float(c) for c in pet.point_ras(index_kji)], "positive": positive}


def write_list(folder: Path, *cases: Any) -> Path:
    path = folder / "cases.json"
    path.write_text(json.dumps({"cases": cases}))
    return path


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "quantities.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def command(manifest: Path, model_file: Path, *options: str) -> list[str]:
    output = str(manifest.parent / "masks")
    return ["segment-many", str(manifest), "--model", str(model_file), "--threads", "1", "--output", output, *options]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def case(pet: Volume, pet_file: Path) -> dict[str, Any]:
    """Two clicks in the PET."""
    return {"id": "a", "image": pet_file.name, "clicks": [click(pet, INSIDE), click(pet, OUTSIDE, False)]}


def test_a_case_has_the_same_mask_and_numbers_as_one_alone(
    case: dict[str, Any], pet: Volume, model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(command(write_list(tmp_path, case), model_file)) == 0
    printed = capfd.readouterr().out
    points = [f"{','.join(str(c) for c in point['ras'])}" for point in case["clicks"]]
    clicks = ["--point", points[0], "--negative", points[1], "--threads", "1"]
    alone = tmp_path / "alone.seg.nrrd"
    assert (
        main(["segment", str(tmp_path / "pet.nii.gz"), *clicks, "--model", str(model_file), "--output", str(alone)])
        == 0
    )
    _, (one,) = read_segmentation(alone)
    _, (segment,) = read_segmentation(tmp_path / "masks" / "a.seg.nrrd")
    assert np.array_equal(segment.mask_kji, one.mask_kji)
    assert segment.tags == one.tags
    (row,) = rows_of(tmp_path / "masks")
    expected = quantities(pet, one.mask_kji)
    assert (row["case"], row["target"], row["units"], row["note"]) == ("a", "Target", "", row["note"])
    assert float(row["volume_ml"]) == pytest.approx(expected.volume_ml, rel=1e-5)
    assert float(row["suv_peak"]) == pytest.approx(expected.suv_peak, rel=1e-5)
    assert names(tmp_path / "masks") == ["a.seg.nrrd", "quantities.csv"]
    assert "does not say that its values are SUV" in printed
    assert "Research use only" in printed


def test_what_was_assumed_of_a_series_stands_in_the_table_and_with_the_segment(
    case: dict[str, Any], pet: Volume, model_file: Path, tmp_path: Path
) -> None:
    write_series(tmp_path / "dicom", np.rint(1000 * pet.array_kji))
    clicks = [{"ras": [0.0, 16.0, -15.0], "positive": True}]
    main(command(write_list(tmp_path, {"id": "b", "image": "dicom", "clicks": clicks}), model_file))
    (row,) = rows_of(tmp_path / "masks")
    assert row["assumed"] == "reference time by SeriesTime (0008,0031), 60.0 min after the injection"
    _, (segment,) = read_segmentation(tmp_path / "masks" / "b.seg.nrrd")
    assert segment.tags["SegAnyPET.Assumed"] == row["assumed"]


def test_the_table_names_the_type_of_suv_that_was_asked_for(
    case: dict[str, Any], pet: Volume, model_file: Path, tmp_path: Path
) -> None:
    def edit(image: Any, k: int) -> None:
        image.PatientSize, image.PatientSex = "1.75", "O"

    write_series(tmp_path / "dicom", np.rint(1000 * pet.array_kji), edit=edit)
    clicks = [{"ras": [0.0, 16.0, -15.0], "positive": True}]
    cases = [{"id": "b", "image": "dicom", "clicks": clicks}, case]
    assert main(command(write_list(tmp_path, *cases), model_file, "--suv-type", "lbm")) == 1
    series, file = rows_of(tmp_path / "masks")
    assert series["units"] == "SUVlbm"
    assert series["assumed"].endswith("PatientSex (0010,0040) O: the mean of men and women")
    assert "SUVlbm needs the patient's weight, size and sex" in file["note"]


def test_all_targets_of_a_case_become_segments_of_one_file(
    case: dict[str, Any], pet: Volume, model_file: Path, tmp_path: Path
) -> None:
    draft = np.zeros(pet.shape_kji, np.uint8)
    draft[5:9, 4:8, 9:13] = 1
    write_volume(pet.with_array(draft), tmp_path / "draft.nii.gz")
    targets = [{"name": "Läsion 1", "clicks": case.pop("clicks")}, {"mask": "draft.nii.gz"}]
    assert main(command(write_list(tmp_path, case | {"targets": targets}), model_file)) == 0
    _, segments = read_segmentation(tmp_path / "masks" / "a.seg.nrrd")
    assert [segment.name for segment in segments] == ["Läsion 1", "Target 2"]
    assert len({segment.color for segment in segments}) == 2
    assert [len(SavedPrompts.from_json(s.tags["SegAnyPET.Prompts"]).prompts) for s in segments] == [2, 1]
    assert [row["target"] for row in rows_of(tmp_path / "masks")] == ["Läsion 1", "Target 2"]


def test_what_cannot_be_used_is_told_and_does_not_stop_the_rest(
    case: dict[str, Any], pet: Volume, model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    outside = {"ras": [5000, 0, 0], "positive": True}
    cases = [
        case | {"id": "gone", "image": "gone.nii.gz"},
        case | {"id": "nothing", "clicks": [click(pet, OUTSIDE, False)]},
        case | {"id": "beside", "clicks": [outside]},
        {"id": "half", "image": case["image"], "targets": [{"clicks": case["clicks"]}, {"clicks": [outside]}]},
        case,
    ]
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "gone.seg.nrrd").write_text("of an earlier run")
    assert main(command(write_list(tmp_path, *cases), model_file)) == 1
    err = capfd.readouterr().err
    told = err.splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "gone",
        "nothing",
        "beside, Target",
        "half, Target 2",
        "seganypet",
    ]
    assert "4 of 5 cases" in told[-1]
    assert names(tmp_path / "masks") == ["a.seg.nrrd", "gone.seg.nrrd", "half.seg.nrrd", "quantities.csv"]
    rows = rows_of(tmp_path / "masks")
    assert [(row["case"], row["volume_ml"] != "") for row in rows] == [
        ("gone", False),
        ("nothing", False),
        ("beside", False),
        ("half", True),
        ("half", False),
        ("a", True),
    ]
    assert "gone.nii.gz" in rows[0]["note"]


@pytest.mark.parametrize(
    ("cases", "reason"),
    [
        ([], "list of cases"),
        ([{"id": "../a"}], "name of a file"),
        ([{"id": ".a"}], "name of a file"),
        ([{"id": "a."}], "name of a file"),
        ([{"id": "a\n"}], "name of a file"),
        ([{"id": "NUL"}], "name of a file"),
        ([{"id": "com1.x"}], "name of a file"),
        ([{"id": ""}], "name of a file"),
        ([{"id": "x" * 101}], "name of a file"),
        ([{"id": 3}], "name of a file"),
        (["a"], "name of a file"),
        ([{"id": "a"}, {"id": "A"}], "occurs twice"),
    ],
)
def test_a_list_without_safe_ids_is_refused_as_a_whole(
    cases: list[Any], reason: str, model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(command(write_list(tmp_path, *cases), model_file)) == 2
    err = capfd.readouterr().err
    assert reason in err
    assert err.count("\n") == 1
    assert names(tmp_path) == ["cases.json"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"image": None}, "image"),
        ({"clicks": "ras"}, "must be a list"),
        ({"clicks": [{"ras": [1, 2]}]}, "three numbers"),
        ({"clicks": [{"ras": [1, 2, "3"]}]}, "of the form"),
        ({"clicks": [{"ras": [1, 2, 3], "positive": "no"}]}, "of the form"),
        ({"clicks": [], "mask": ""}, "a file"),
        ({"clicks": []}, "nothing says where"),
        ({"targets": []}, "either"),
        ({"targets": [{"clicks": []}]}, "either"),
        ({"mask": "masks/a.seg.nrrd"}, "must not be replaced"),
    ],
)
def test_a_case_that_is_listed_wrongly_says_why(
    fields: dict[str, Any],
    reason: str,
    case: dict[str, Any],
    model_file: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.seg.nrrd").write_text("of an earlier run")
    assert main(command(write_list(tmp_path, case | fields), model_file)) == 1
    assert reason in capfd.readouterr().err
    assert (tmp_path / "masks" / "a.seg.nrrd").read_text() == "of an earlier run"


def test_targets_of_one_name_or_a_separator_in_it_are_refused(
    case: dict[str, Any], model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = {"clicks": case.pop("clicks")}
    cases = [
        case | {"targets": [target | {"name": "x"}, target | {"name": "x"}]},
        case | {"id": "b", "targets": [target | {"name": "x|y"}]},
    ]
    assert main(command(write_list(tmp_path, *cases), model_file)) == 1
    err = capfd.readouterr().err
    assert "same name" in err
    assert "without |" in err


def test_without_its_model_nothing_is_written(
    case: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(command(write_list(tmp_path, case, case | {"id": "b"}), tmp_path / "none.safetensors")) == 2
    assert capfd.readouterr().err.count("\n") == 1
    assert names(tmp_path) == ["cases.json", "pet.nii.gz"]


def processes_of(session: int) -> list[int]:
    """Processes of a session that live."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z" and int(fields[3]) == session:
            found.append(int(folder.name))
    return found


@pytest.fixture
def many(case: dict[str, Any], tmp_path: Path) -> Path:
    """More cases than are done before a test has acted."""
    return write_list(tmp_path, *(case | {"id": f"case {n}"} for n in range(200)))


def begin(manifest: Path, model_file: Path) -> subprocess.Popen[str]:
    """Two processes at work; the first case is done."""
    arguments = [sys.executable, "-m", "SegAnyPETLib.cli", *command(manifest, model_file, "--jobs", "2")]
    process = subprocess.Popen(
        arguments,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore Ctrl-C
    )
    wait_until(lambda: (manifest.parent / "masks" / "quantities.csv").exists())
    return process


def wait_until(done: Any, within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")


@needs_proc
def test_ctrl_c_ends_all_processes_and_keeps_what_is_whole(many: Path, model_file: Path) -> None:
    process = begin(many, model_file)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip().splitlines()[-1] == "seganypet: error: interrupted"
    assert "Traceback" not in err
    wait_until(lambda: not processes_of(process.pid))
    done = [row["case"] for row in rows_of(many.parent / "masks")]
    assert 0 < len(done) < 200
    there = names(many.parent / "masks")
    assert there.pop() == "quantities.csv"
    assert {f"{name}.seg.nrrd" for name in done} <= set(there)
    for name in there:
        assert read_labels(many.parent / "masks" / name).array_kji.any()


@needs_proc
def test_a_process_that_dies_takes_its_case_alone_with_it(many: Path, model_file: Path) -> None:
    many.write_text(json.dumps({"cases": json.loads(many.read_text())["cases"][:16]}))
    process = begin(many, model_file)
    os.kill(max(processes_of(process.pid)), signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    (lost,) = [row for row in rows_of(many.parent / "masks") if not row["volume_ml"]]
    assert "use fewer --jobs" in lost["note"]
    assert len(rows_of(many.parent / "masks")) == 16
    assert "1 of 16 cases" in err
    wait_until(lambda: not processes_of(process.pid))


@needs_proc
def test_no_process_outlives_a_command_that_is_killed(many: Path, model_file: Path) -> None:
    process = begin(many, model_file)
    process.kill()
    process.communicate()
    wait_until(lambda: not processes_of(process.pid))
