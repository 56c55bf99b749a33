"""Packages that a model needs beside Slicer, by where it runs, and the versions that are installed of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from SegAnyPETLib.resources import resource_path
from SegAnyPETPanel.model.choice import INSIDE, SERVER, WORKER

try:
    from packaging.requirements import Requirement
except ImportError:  # Slicer 5.10 has it inside pip only
    from pip._vendor.packaging.requirements import Requirement  # type: ignore[assignment]

#: As in pyproject.toml.
TORCH = Requirement("torch>=2.8,<=2.13.0")
#: Names in requirements.txt by location; a client needs no torch, and only the worker process is a server.
_CLIENT = ("httpx", "safetensors")
_STORE = ("filelock", "platformdirs")
_MODEL = ("safetensors", "monai", *_STORE)
_NAMES = {
    SERVER: _CLIENT,
    INSIDE: _MODEL,
    WORKER: (*_CLIENT, "fastapi", "uvicorn", "prometheus_client", "monai", *_STORE),
}
#: To fetch and check weights.
FETCH_NAMES = ("huggingface_hub", "tqdm", *_MODEL)
#: What Slicer ships and an installation must leave as it is: Slicer's own code was compiled or tested against it.
OF_SLICER = ("numpy", "scipy", "SimpleITK", "pydicom", "vtk")


@dataclass(frozen=True)
class Lack:
    """A package that has to be installed.

    Attributes:
        requirement: its name and the versions that will do.
        version: that is installed and will not do, None if none is.
    """

    requirement: Requirement
    version: str | None

    def __str__(self) -> str:
        """Return it as shown to the user."""
        if self.version is None:
            return str(self.requirement.name)
        return f"{self.requirement} ({self.version} is installed)"


def missing(location: str) -> list[Lack]:
    """Return the packages that a location needs and that are absent or too old or too new, torch first."""
    return _lacking(_NAMES[location], torch=location != SERVER)


def missingToFetch() -> list[Lack]:
    """Return the packages that fetching and checking weights needs and that are not there, torch first."""
    return _lacking(FETCH_NAMES, torch=True)


def installedVersion(name: str) -> str | None:
    """Return the version of an installed package, None if it is absent."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def constraintLines() -> list[str]:
    """Return the lines of a constraints file that keep what Slicer ships, and torch, at the versions that they have."""
    lines = [(name, _slicersVersion(name)) for name in (*OF_SLICER, "torch", "torchvision")]
    return [f"{name}=={version}" for name, version in lines if version is not None]


def _slicersVersion(name: str) -> str | None:
    version = installedVersion(name)
    if version is None and name == "vtk":  # Slicer's build of VTK may leave no metadata
        import vtk

        version = vtk.vtkVersion.GetVTKVersion()
    return version


def _lacking(names: Sequence[str], torch: bool) -> list[Lack]:
    wanted = ([TORCH] if torch else []) + [r for r in _requirements() if r.name in names]
    versions = [(requirement, installedVersion(requirement.name)) for requirement in wanted]
    return [Lack(requirement, version) for requirement, version in versions if not _fits(requirement, version)]


def _fits(requirement: Any, version: str | None) -> bool:
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _requirements() -> list[Requirement]:
    lines = resource_path("requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
