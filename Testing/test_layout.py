"""The repository says the same about itself in every place where it must."""

import re
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
    return sorted(p.relative_to(root).as_posix() for p in root.rglob(pattern) if p.is_file())


def test_slicer_packages_every_file_of_the_library() -> None:
    listed = cmake_list(ROOT / "SegAnyPETLib/CMakeLists.txt", "MODULE_PYTHON_SCRIPTS")
    assert sorted(listed) == files("SegAnyPETLib", "*.py")


def test_slicer_packages_every_resource() -> None:
    listed = cmake_list(ROOT / "SegAnyPETLib/CMakeLists.txt", "MODULE_RESOURCES")
    assert sorted(listed) == files("Resources", "*")


def test_slicer_packages_the_module() -> None:
    listed = cmake_list(ROOT / "SegAnyPET/CMakeLists.txt", "MODULE_PYTHON_SCRIPTS")
    assert [f.replace("${MODULE_NAME}", "SegAnyPET") for f in listed] == files("SegAnyPET", "*.py")


@pytest.mark.parametrize("field", ["homepage", "category", "description", "depends", "contributors"])
def test_extension_description_equals_the_cmake_metadata(field: str) -> None:
    lines = [line.partition(" ") for line in (ROOT / "SegAnyPET.s4ext").read_text().splitlines()]
    described = {key: value for key, _, value in lines}
    found = re.search(rf'set\(EXTENSION_{field.upper()} "([^"]*)"\)', (ROOT / "CMakeLists.txt").read_text())
    assert found
    assert described[field] == found.group(1)


def test_every_package_has_an_init_file() -> None:
    folders = {str(Path(p).parent) for p in files("SegAnyPETLib", "*.py")}
    assert [f for f in sorted(folders) if not (ROOT / "SegAnyPETLib" / f / "__init__.py").is_file()] == []


def test_torch_is_pinned_to_one_version() -> None:
    pins = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    assert pins["torch"] == "2.13.0"


def test_a_resource_that_is_not_there_is_named() -> None:
    with pytest.raises(SegAnyPETError, match=r"nothing\.safetensors"):
        resource_path("nothing.safetensors")
