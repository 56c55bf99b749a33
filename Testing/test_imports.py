"""What an import brings with it: Slicer's process must stay free of torch, plain Python free of Slicer and Qt."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import SegAnyPETLib

pytestmark = pytest.mark.slow

HEAVY = ["torch", "monai", "safetensors", "matplotlib", "slicer", "vtk", "qt", "PySide6"]


def heavy_after(code: str, heavy: list[str] = HEAVY) -> str:
    """Heavy packages that a fresh interpreter holds after running code."""
    report = f"\nimport sys\nprint(*[m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + report], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "module",
    [
        "SegAnyPETLib",
        "SegAnyPETLib.volume",
        "SegAnyPETLib.session",
        "SegAnyPETLib.pet",
        "SegAnyPETLib.volume.io",
        "SegAnyPETLib.volume.window",
        "SegAnyPETLib.volume.segmentation",
        "SegAnyPETLib.volume.dicom.series",
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


def test_the_package_by_itself_loads_not_even_numpy() -> None:
    libraries = [*HEAVY, "numpy", "SimpleITK", "pydicom"]
    assert heavy_after("import SegAnyPETLib; print(SegAnyPETLib.__version__)", libraries) == ""


def test_reading_measuring_and_clicking_by_the_public_names_loads_no_torch() -> None:
    names = "InteractiveSession, Point, quantities, read_pet, read_segmentation, write_mask"
    assert heavy_after(f"from SegAnyPETLib import {names}") == ""


@pytest.mark.parametrize("room", ["SegAnyPETLib", "SegAnyPETLib.volume", "SegAnyPETLib.session", "SegAnyPETLib.pet"])
def test_every_public_name_is_there(room: str) -> None:
    module = importlib.import_module(room)
    assert sorted(module.__all__) == sorted(set(module.__all__))
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert set(module.__all__) <= set(dir(module))


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'unheard_of'"):
        _ = SegAnyPETLib.unheard_of


def test_type_checkers_are_shown_the_public_names_from_the_same_modules() -> None:
    stub = ast.parse(Path(SegAnyPETLib.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    homes = {n.asname: f.module for f in stub.body if isinstance(f, ast.ImportFrom) for n in f.names}
    assert {*homes, "__version__"} == set(SegAnyPETLib.__all__)
    for name, home in homes.items():
        assert getattr(SegAnyPETLib, name) is getattr(importlib.import_module(home), name)
        assert getattr(SegAnyPETLib, name).__module__ == home
