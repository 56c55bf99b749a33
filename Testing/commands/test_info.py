"""What the installation says of itself."""

import hashlib
from pathlib import Path

import pytest

from SegAnyPETLib import __version__
from SegAnyPETLib.cli import main
from SegAnyPETLib.resources import resource_path
from Testing.dicom_fixtures import PATIENT_ID, PATIENT_NAME, counting_voxels, write_series


def test_info_names_versions_and_the_bundled_weights(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    printed = capfd.readouterr().out
    weights = resource_path("lite.safetensors")
    assert __version__ in printed
    assert hashlib.sha256(weights.read_bytes()).hexdigest() in printed
    assert str(resource_path("MODEL_CARD.md")) in printed
    assert "cpu" in printed
    assert "Research use only" in printed


def test_the_bundled_weights_are_small_enough_to_bundle() -> None:
    assert resource_path("lite.safetensors").stat().st_size <= 20e6


def test_info_of_a_folder_lists_its_series_and_no_identifier(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        write_series(tmp_path / name, counting_voxels(), series=name)
    assert main(["info", str(tmp_path)]) == 0
    first, second = capfd.readouterr().out.splitlines()
    assert first.startswith("  1  no description, 4 slices, attenuation-corrected, 2020-01-02 11:00, UID ...")
    assert second.startswith("  2  ")
    assert PATIENT_NAME not in first + second
    assert PATIENT_ID not in first + second


def test_info_of_a_folder_without_pet_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(tmp_path)]) == 0
    assert "holds no DICOM PET images" in capfd.readouterr().out


def test_info_of_what_is_no_folder_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(tmp_path / "absent")]) == 2
    assert "absent is not a folder" in capfd.readouterr().err
