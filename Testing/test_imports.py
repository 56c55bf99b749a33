"""What an import brings with it: Slicer's process must stay free of torch, plain Python free of Slicer and Qt."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

HEAVY = ["torch", "monai", "safetensors", "matplotlib", "slicer", "vtk", "qt", "PySide6"]


def heavy_after(code: str) -> str:
    """Heavy packages that a fresh interpreter holds after running code."""
    report = f"\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + report], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "module",
    [
        "SegAnyPETLib",
        "SegAnyPETLib.volume.io",
        "SegAnyPETLib.volume.window",
        "SegAnyPETLib.volume.segmentation",
        "SegAnyPETLib.volume.dicom",
        "SegAnyPETLib.prompts",
        "SegAnyPETLib.pet.reading",
        "SegAnyPETLib.pet.quantities",
        "SegAnyPETLib.pet.thresholds",
        "SegAnyPETLib.backend.protocol",
        "SegAnyPETLib.session.session",
        "SegAnyPETLib.cli",
    ],
)
def test_a_client_of_the_library_loads_no_torch_slicer_or_qt(module: str) -> None:
    assert heavy_after(f"import {module}") == ""


@pytest.mark.parametrize("arguments", [["--help"], ["segment", "--help"], ["evaluate", "--help"], ["train", "--help"]])
def test_help_needs_no_torch(arguments: list[str]) -> None:
    code = f"""
from SegAnyPETLib.cli import main
try:
    main({arguments!r})
except SystemExit as leaving:
    assert leaving.code == 0
"""
    assert heavy_after(code) == ""


def test_a_refused_image_costs_no_model(tmp_path) -> None:
    code = f"""
from SegAnyPETLib.cli import main
assert main(["segment", {str(tmp_path / "none.nii.gz")!r}, "--point", "0,0,0", "--output", "x.nii.gz"]) == 2
"""
    assert heavy_after(code) == ""
