"""What the installation says of itself."""

import hashlib

import pytest

from SegAnyPETLib import __version__
from SegAnyPETLib.cli import main
from SegAnyPETLib.resources import resource_path


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
