"""Lay an extension out as its package installs it: what Slicer's CMake macro makes of the CMakeLists.txt files.

Source: CMake/SlicerMacroBuildScriptedModule.cmake and qSlicerAbstractModuleFactoryManager.cxx of Slicer 5.10 and 5.12.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

MACRO = "slicerMacroBuildScriptedModule"


@dataclass(frozen=True)
class ScriptedModule:
    """A call of Slicer's macro for scripted modules.

    Attributes:
        source: folder of the CMakeLists.txt.
        files: scripts and resources, relative to it.
        in_subfolder: whether the option WITH_SUBDIR is given.
        resources: files of the extension's folder Resources that the build copies into the module's own `_resources`.
    """

    source: Path
    files: tuple[str, ...]
    in_subfolder: bool
    resources: tuple[str, ...]


def read_cmake(folder: Path) -> ScriptedModule:
    """Read a folder's CMakeLists.txt.

    Raises:
        ValueError: it does not call the macro once.
    """
    text = re.sub(r"#.*", "", (folder / "CMakeLists.txt").read_text())
    variables = {name: values.split() for name, values in re.findall(r"set\((\w+)\s+([^)]*)\)", text)}
    calls = re.findall(rf"{MACRO}\(([^)]*)\)", text)
    if len(calls) != 1:
        raise ValueError(f"{folder} calls {MACRO} {len(calls)} times")
    arguments = calls[0].split()
    (name,) = variables["MODULE_NAME"]
    listed = [*variables.get("MODULE_PYTHON_SCRIPTS", []), *variables.get("MODULE_PYTHON_RESOURCES", [])]
    files = tuple(file.replace("${MODULE_NAME}", name) for file in listed)
    return ScriptedModule(folder, files, "WITH_SUBDIR" in arguments, tuple(variables.get("MODULE_RESOURCES", [])))


def install_extension(root: Path, scripted_modules: Path) -> None:
    """Copy the scripted modules of an extension as its package installs them.

    Args:
        root: of the extension's sources.
        scripted_modules: the folder ``lib/Slicer-X.Y/qt-scripted-modules`` of the installed extension.
    """
    folders = re.findall(r"add_subdirectory\((\w+)\)", (root / "CMakeLists.txt").read_text())
    for module in (read_cmake(root / folder) for folder in folders):
        target = scripted_modules / module.source.name if module.in_subfolder else scripted_modules
        for file in module.files:
            _copy(module.source / file, target / file)
        for resource in module.resources:
            _copy(root / "Resources" / resource, scripted_modules / module.source.name / "_resources" / resource)


def discovered_modules(scripted_modules: Path) -> list[str]:
    """Return the names of the modules that Slicer finds: it looks at the files of the folder, not into subfolders."""
    return sorted(path.stem for path in scripted_modules.iterdir() if path.is_file() and path.suffix == ".py")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
