"""From a recipe on the command line to weights that segment."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from SegAnyPETLib.cli import main
from SegAnyPETLib.volume.io import read_labels

pytestmark = pytest.mark.slow

RECIPE = "name: tiny\nsteps: {steps}\nbatch: 1\nslots: 1\nsize: 32\nanalytic_bodies: 1\ncheckpoint_every: 1\n"


def test_a_trained_model_segments_and_goes_on_training(
    pet_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe, runs = tmp_path / "tiny.yaml", tmp_path / "runs"
    recipe.write_text(RECIPE.format(steps=1))
    assert main(["train", str(recipe), "--output", str(runs)]) == 0
    weights = runs / "tiny.safetensors"
    assert str(weights) in capfd.readouterr().out
    recipe.write_text(RECIPE.format(steps=2))
    assert main(["train", str(recipe), "--output", str(runs), "--resume"]) == 0
    with (runs / "tiny.csv").open(newline="") as log:
        assert [row["step"] for row in csv.DictReader(log)] == ["1", "2"]
    options = ["--coordinates", "ijk", "--point", "10,5,6", "--output", str(tmp_path / "out.nii.gz")]
    assert main(["segment", str(pet_file), "--model", str(weights), *options]) == 0
    assert read_labels(tmp_path / "out.nii.gz").array_kji[6, 5, 10] == 1


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        (None, [], "recipe.yaml"),
        ("name: a\nsteps: 1\nspeed: 9\n", [], "speed"),
        ("steps: [", [], "YAML"),
        ("name: a\nsteps: 1\n", ["--resume"], "a.pt"),
        ("name: a\nsteps: 1\norgan_maps: absent\nanalytic_bodies: 0\n", [], "no organ maps"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused(
    content: str | None, options: list[str], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    if content is not None:
        recipe.write_text(content)
    assert main(["train", str(recipe), "--output", str(tmp_path / "runs"), *options]) == 2
    err = capfd.readouterr().err
    assert reason in err
    assert err.count("\n") == 1
    assert not (tmp_path / "runs").exists()
