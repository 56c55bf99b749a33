"""Every command that reads DICOM lets the user say which series of a study is meant."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from SegAnyPETLib.cli import main
from SegAnyPETLib.pet.reading import read_scan
from SegAnyPETLib.volume.io import write_volume
from Testing.commands.test_segment_many import rows_of, write_list
from Testing.dicom_fixtures import write_series

#: A click in the hot cube of either series.
CLICK = ["--point", "10,5,6", "--coordinates", "ijk"]
AMBIGUOUS = "holds 2 PET series; choose one by --series"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two reconstructions of one scan: a warm box with a hot cube, of which the second's is hotter."""
    for name, hot, time in (("first", 20000, "110000"), ("second", 30000, "110001")):
        stored = np.full((14, 12, 20), 3000, np.int16)
        stored[5:9, 4:8, 9:13] = hot

        def edit(image: object, k: int, time: str = time) -> None:
            image.AcquisitionTime = image.SeriesTime = time  # type: ignore[attr-defined]

        write_series(tmp_path / "study" / name, stored, series=name, edit=edit)
    return tmp_path / "study"


def hottest(study: Path, series: str) -> float:
    return float(read_scan(study, series=series).volume.array_kji.max())


def test_segment_asks_for_a_series_and_takes_it(
    study: Path, model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["segment", str(study), "--model", str(model_file), "--threads", "1", *CLICK]
    command += ["--output", str(tmp_path / "out.nii.gz")]
    assert main(command) == 2
    assert AMBIGUOUS in capfd.readouterr().err
    assert main([*command, "--series", "2"]) == 0
    assert f"{hottest(study, '2'):.2f}" in capfd.readouterr().out


@pytest.mark.parametrize(("listed", "expected"), [(1, "1"), ("2", "2")])
def test_case_of_a_list_names_its_series(
    listed: object, expected: str, study: Path, model_file: Path, tmp_path: Path
) -> None:
    ras = [float(c) for c in read_scan(study, series="1").volume.point_ras((6, 5, 10))]
    case = {"id": "a", "image": "study", "series": listed, "clicks": [{"ras": ras}]}
    output = tmp_path / "masks"
    words = ["segment-many", str(write_list(tmp_path, case)), "--model", str(model_file), "--threads", "1"]
    assert main([*words, "--output", str(output)]) == 0
    assert float(rows_of(output)[0]["suv_max"]) == pytest.approx(hottest(study, expected), rel=1e-4)


@pytest.mark.parametrize(
    ("listed", "message"), [(None, AMBIGUOUS), ([1], 'its "series" must be'), (True, 'its "series" must be')]
)
def test_case_of_a_list_without_a_clear_series_is_told(
    listed: object, message: str, study: Path, model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    case = {"id": "a", "image": "study", "clicks": [{"ras": [0, 0, 0]}]}
    words = ["segment-many", str(write_list(tmp_path, case if listed is None else {**case, "series": listed}))]
    assert main([*words, "--model", str(model_file), "--output", str(tmp_path / "masks")]) == 1
    assert message in capfd.readouterr().err


def test_propose_takes_the_series(study: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = ["propose", str(study), "--criterion", "suv2.5", "--output", str(tmp_path / "review.json")]
    assert main(command) == 2
    assert AMBIGUOUS in capfd.readouterr().err
    assert main([*command, "--series", "2"]) == 0
    proposals = json.loads((tmp_path / "review.json").read_text())["proposals"]
    assert proposals[0]["suv_max"] == pytest.approx(hottest(study, "2"), rel=1e-4)


def test_burden_takes_a_series_of_either_scan(study: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pet = read_scan(study, series="1").volume
    mask = str(tmp_path / "lesion.nii.gz")
    write_volume(pet.with_array((pet.array_kji > 3).astype(np.uint8)), Path(mask))
    command = ["burden", str(study), "--mask", mask]
    assert main(command) == 2
    assert AMBIGUOUS in capfd.readouterr().err
    assert main([*command, "--series", "2", "--output", str(tmp_path / "b.json")]) == 0
    measured = json.loads((tmp_path / "b.json").read_text())["quantities"]["suv_max"]
    assert measured == pytest.approx(hottest(study, "2"), rel=1e-4)
    capfd.readouterr()
    earlier = ["--before", str(study), "--before-mask", mask]
    assert main([*command, "--series", "2", *earlier]) == 2
    assert AMBIGUOUS in capfd.readouterr().err
    assert main([*command, "--before-series", "1"]) == 2
    assert "--before-series is about an earlier scan" in capfd.readouterr().err
