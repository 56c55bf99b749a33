"""The repository says the same about itself in every place where it must."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.resources import resource_path

ROOT = Path(__file__).resolve().parents[1]


def cmake_list(file: Path, name: str) -> list[str]:
    """Entries of ``set(name ...)`` in a CMake file."""
    found = re.search(rf"set\({name}\s+(.*?)\)", file.read_text(), re.DOTALL)
    assert found, f"{file.name} has no list {name}"
    return found.group(1).split()


def files(folder: str, pattern: str) -> list[str]:
    """Files of a folder and its subfolders, relative to it."""
    root = ROOT / folder
    return sorted(
        p.relative_to(root).as_posix() for p in root.rglob(pattern) if p.is_file() and p.parent.name != "__pycache__"
    )


def test_slicer_packages_every_file_of_the_library() -> None:
    listed = cmake_list(ROOT / "SegAnyPETLib/CMakeLists.txt", "MODULE_PYTHON_SCRIPTS")
    assert sorted(listed) == files("SegAnyPETLib", "*.py")


def test_slicer_packages_every_resource() -> None:
    listed = cmake_list(ROOT / "SegAnyPETLib/CMakeLists.txt", "MODULE_RESOURCES")
    there = [f for f in files("Resources", "*") if not f.startswith("training_state/")]  # for developers
    assert sorted(listed) == there


@pytest.mark.parametrize(("name", "patterns"), [("SCRIPTS", ["*.py"]), ("RESOURCES", ["*.svg", "*.png", "*.ui"])])
def test_slicer_packages_every_file_of_the_module(name: str, patterns: list[str]) -> None:
    listed = cmake_list(ROOT / "SegAnyPET/CMakeLists.txt", f"MODULE_PYTHON_{name}")
    there = [f for pattern in patterns for f in files("SegAnyPET", pattern)]
    assert sorted(f.replace("${MODULE_NAME}", "SegAnyPET") for f in listed) == sorted(there)


def test_slicer_installs_what_the_package_asks_for_and_leaves_its_own_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = {*project["dependencies"], *extras["models"], *extras["client"], *extras["server"]}
    of_slicer_or_torch = ("numpy", "SimpleITK", "scipy", "pydicom", "torch", "SegAnyPET[")
    lines = (ROOT / "Resources/requirements.txt").read_text().splitlines()
    assert {line for line in lines if not line.startswith("#")} == {
        requirement for requirement in asked if not requirement.startswith(of_slicer_or_torch)
    }
    torch = next(requirement for requirement in asked if requirement.startswith("torch"))
    assert f'TORCH = Requirement("{torch}")' in (ROOT / "SegAnyPET/SegAnyPETPanel/model/packages.py").read_text()


def test_every_package_has_an_init_file() -> None:
    folders = {str(Path(p).parent) for p in files("SegAnyPETLib", "*.py")}
    assert [f for f in sorted(folders) if not (ROOT / "SegAnyPETLib" / f / "__init__.py").is_file()] == []


def test_a_wheel_holds_every_file_of_the_library(tmp_path: Path) -> None:
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(tmp_path)]
    command += ["build", "--build-base", str(tmp_path), "--build-lib", str(tmp_path / "wheel")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    built = tmp_path / "wheel/SegAnyPETLib"
    for pattern in ("*.py", "*.pyi", "py.typed"):
        packaged = {p.relative_to(built).as_posix() for p in built.rglob(pattern)}
        assert set(files("SegAnyPETLib", pattern)) - packaged == set()


def test_torch_is_pinned_to_one_version() -> None:
    pins = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    assert pins["torch"] == "2.13.0"


def test_a_resource_that_is_not_there_is_named() -> None:
    with pytest.raises(SegAnyPETError, match=r"nothing\.safetensors"):
        resource_path("nothing.safetensors")
