"""A reader study on the command line."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from SegAnyPETLib.cli import main
from SegAnyPETLib.study.plan.files import plain
from SegAnyPETLib.study.plan.folder import open_study
from Testing.study.played import played
from Testing.study.studies import cases, crossover


@pytest.fixture
def planned(tmp_path: Path) -> list[str]:
    """Arguments of a plan of 24 cases."""
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plain(crossover())))
    (tmp_path / "cases.json").write_text(json.dumps(plain(cases(24))))
    return ["study", "plan", str(tmp_path / "plan.yaml"), "--manifest", str(tmp_path / "cases.json")]


def test_a_plan_prints_schedule_and_power_and_makes_the_folder(
    planned: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*planned, "--output", str(tmp_path / "trial")]) == 0
    printed = capfd.readouterr().out
    assert "With 2 readers and 24 cases a saving of 30 % is shown with" in printed
    assert "Research use only" in printed
    study = open_study(tmp_path / "trial")
    assert study.plan_sha256 in printed
    assert len(study.readings) == 2 * 2 * (24 + 2)


def test_a_plan_that_cannot_answer_is_bad_input(
    planned: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cases.json").write_text(json.dumps(plain(cases(5))))
    assert main(planned) == 2
    assert "5 cases cannot show a difference" in capfd.readouterr().err


def test_a_missing_package_of_statistics_is_named_with_its_extra(
    planned: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "SegAnyPETLib.study.plan.power", raising=False)
    monkeypatch.setitem(sys.modules, "statsmodels.regression.linear_model", None)
    assert main(planned) == 1
    message = capfd.readouterr().err
    assert "this command needs statsmodels, which is not installed" in message
    assert "[study]" in message


@pytest.mark.slow
def test_a_study_is_checked_and_analysed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    study = played(tmp_path)
    assert main(["study", "check", str(study.folder)]) == 0
    assert "R1.jsonl: sound" in capfd.readouterr().out
    assert main(["study", "analyse", str(study.folder)]) == 0
    printed = capfd.readouterr().out
    assert "All readers: assisted saved 8" in printed
    assert "32 of 32 planned readings analysed" in printed
    assert (study.folder / "report/report.html").is_file()


def test_a_changed_log_is_bad_input_for_the_check(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    study = played(tmp_path)
    log = study.logs / "R1.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"stroke"', b'"undo"', 1))
    assert main(["study", "check", str(study.folder)]) == 2
    told = capfd.readouterr()
    assert "NOT AS IT WAS WRITTEN" in told.out
    assert "R1.jsonl, line" in told.err


@pytest.mark.slow
def test_the_demo_plays_a_study_and_says_that_it_is_simulated(
    model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"
    line = ["study", "demo", "--output", str(folder), "--cases", "6", "--lesions", "1", "--model", str(model_file)]
    assert main(line) == 0
    printed = capfd.readouterr().out
    assert "SIMULATED: robots read phantoms" in printed
    assert "24 of 24 planned readings analysed" in printed
    page = (folder / "report/report.html").read_text()
    assert "(simulated)</title>" in page
    assert "Research use only" in page
    assert main(["study", "check", str(folder)]) == 0
    assert "RobotA.jsonl: sound" in capfd.readouterr().out
    assert main(line) == 2
    assert "holds cases already" in capfd.readouterr().err
