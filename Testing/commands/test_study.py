"""A reader study on the command line."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from SegAnyPETLib.cli import main
from SegAnyPETLib.study.plan.files import plain
from SegAnyPETLib.study.plan.folder import open_study
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
