"""The folder of a study."""

from pathlib import Path

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.plan.folder import make_study, open_study, power_statement
from SegAnyPETLib.study.plan.schedule import schedule
from Testing.study.studies import cases, crossover


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make_study(tmp_path / "trial", crossover(), cases(6), schedule(crossover(), cases(6)), tmp_path, "enough")
    return made.folder


def test_a_study_is_opened_as_it_was_made(folder: Path) -> None:
    study = open_study(folder)
    assert (study.plan, study.manifest) == (crossover(), cases(6))
    assert study.readings == schedule(crossover(), cases(6))
    assert study.cases_folder.resolve() == folder.parent.resolve()
    assert power_statement(study) == "enough"


@pytest.mark.parametrize(
    ("file", "old", "new"), [("plan.json", "30.0", "60.0"), ("schedule.csv", "manual", "assisted")]
)
def test_a_plan_that_was_changed_afterwards_is_refused(folder: Path, file: str, old: str, new: str) -> None:
    (folder / file).write_text((folder / file).read_text().replace(old, new))
    with pytest.raises(InputError, match="were changed after the study was made"):
        open_study(folder)


def test_a_second_plan_in_the_same_folder_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="holds a study already"):
        make_study(folder, crossover(), cases(6), (), folder, "")


def test_a_folder_without_a_study_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="seganypet study plan"):
        open_study(tmp_path)


def test_a_study_is_moved_with_its_cases(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    folder.rename(moved / "trial")
    assert open_study(moved / "trial").cases_folder.resolve() == moved.resolve()
