"""Doubles of what installs packages and fetches samples: they note requests and install nothing."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import slicer
import slicer.util
from packaging.requirements import Requirement


@dataclasses.dataclass
class Installations:
    """What a module asked to be installed.

    Attributes:
        installed: requirements, in order; torch by name and version, however it was asked for.
        samples: what was registered with SampleData.
        constraints: lines of the constraints file of each installation, in order.
        lacking: names of packages that are to be taken for absent.
        versions: of packages, by name, that are to be taken for installed in place of the real ones.
        fails: the next installation fails, as without a network.
        has_pytorch_extension: whether the module PyTorchUtils is there.
        meanwhile: called once during the next installation, as by a user: Slicer processes events for each line of pip.
    """

    installed: list[str] = dataclasses.field(default_factory=list)
    samples: list[SimpleNamespace] = dataclasses.field(default_factory=list)
    constraints: list[list[str]] = dataclasses.field(default_factory=list)
    lacking: set[str] = dataclasses.field(default_factory=set)
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    fails: bool = False
    has_pytorch_extension: bool = True
    meanwhile: Callable[[], object] | None = None

    def take(self, requirements: list[str], constraints: str | Path | None = None) -> None:
        """Install, as pip does: of the constraints' paths it reads that of the argument and those of PIP_CONSTRAINT."""
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()
        slicer.app.processEvents()
        paths = [] if constraints is None else [str(constraints)]
        paths += os.environ.get("PIP_CONSTRAINT", "").split()
        self.constraints.append([line for path in paths for line in local(path).read_text().splitlines()])
        if self.fails:
            raise subprocess.CalledProcessError(1, ["pip", "install", *requirements])
        self.installed += requirements
        for requirement in map(Requirement, requirements):
            self.lacking.discard(requirement.name)
            self.versions.pop(requirement.name, None)

    def is_there(self, requirement: Requirement) -> bool:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            return requirement.name in {Requirement(r).name for r in self.installed}
        return requirement.specifier.contains(version, prereleases=True)

    def version(self, name: str) -> str:
        """In place of `importlib.metadata.version`.

        Raises:
            PackageNotFoundError: the package is absent, or taken for it.
        """
        if name in self.lacking:
            raise importlib.metadata.PackageNotFoundError(name)
        return self.versions.get(name) or REAL_VERSION(name)


REAL_VERSION = importlib.metadata.version


def local(path: str) -> Path:
    """The file that pip reads for a path or a file URL."""
    return Path(url2pathname(urlsplit(path).path)) if path.startswith("file:") else Path(path)


def requirement_list(requirements: Any) -> list[Requirement]:
    """Requirements as Slicer takes them: a text, a Requirement, or a list of either."""
    if isinstance(requirements, str):
        return [Requirement(r) for r in requirements.split()]
    if isinstance(requirements, Requirement):
        return [requirements]
    return [Requirement(r) if isinstance(r, str) else r for r in requirements]


def packaging_module(installations: Installations) -> ModuleType:
    """Double of ``slicer.packaging`` (Slicer 5.11 and newer)."""

    def load_requirements(path: str | Path) -> list[Requirement]:
        lines = [line.strip() for line in Path(path).read_text().splitlines()]
        return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]

    def pip_check(req: Any) -> bool:
        return all(installations.is_there(r) for r in requirement_list(req))

    def pip_install(
        requirements: Any,
        constraints: str | Path | None = None,
        blocking: bool = True,
        show_progress: bool = True,
        requester: str | None = None,
    ) -> None:
        try:
            installations.take([str(r) for r in requirement_list(requirements)], constraints)
        except subprocess.CalledProcessError:
            if show_progress:
                slicer.util.errorDisplay("Package installation failed.", detailedText="what pip said")
            raise

    def pip_ensure(
        requirements: Any,
        constraints: str | Path | None = None,
        prompt_install: bool = True,
        prompt_restart: bool = True,
        requester: str | None = None,
        skip_in_testing: bool = True,
        show_progress: bool = True,
    ) -> None:
        missing = [r for r in requirement_list(requirements) if not installations.is_there(r)]
        if not missing or (skip_in_testing and slicer.app.testingEnabled()):
            return
        question = f"{len(missing)} Python packages need to be installed."
        if prompt_install and not slicer.util.confirmOkCancelDisplay(question, requester):
            raise RuntimeError("User declined package installation")
        pip_install([str(r) for r in missing], constraints, show_progress=show_progress, requester=requester)

    return module(
        "slicer.packaging",
        load_requirements=load_requirements,
        pip_check=pip_check,
        pip_install=pip_install,
        pip_ensure=pip_ensure,
    )


def pip_install_of_5_10(installations: Installations) -> Callable[[Any], None]:
    """Double of ``slicer.util.pip_install`` before ``slicer.packaging``: a line for a shell, or its words."""

    def pip_install(requirements: str | list[str]) -> None:
        words = shlex.split(requirements) if isinstance(requirements, str) else list(requirements)
        constraints = words[words.index("-c") + 1] if "-c" in words else None
        installations.take([word for word in words if word not in ("-c", constraints)], constraints)

    return pip_install


def pytorch_module(installations: Installations) -> ModuleType:
    """Double of the module ``PyTorchUtils`` of the PyTorch extension."""

    class PyTorchUtilsLogic:
        @staticmethod
        def torchInstalled() -> bool:
            return installations.is_there(Requirement("torch"))

        @property
        def torch(self) -> ModuleType:
            import torch

            return torch

        def installTorch(
            self,
            askConfirmation: bool = False,
            forceComputationBackend: str | None = None,
            torchVersionRequirement: str | None = None,
            torchvisionVersionRequirement: str | None = None,
        ) -> ModuleType | None:
            if askConfirmation and not slicer.util.confirmOkCancelDisplay("PyTorch will be downloaded and installed"):
                return None
            installations.take(["torch" + (torchVersionRequirement or "")])
            return self.torch

    return module("PyTorchUtils", PyTorchUtilsLogic=PyTorchUtilsLogic)


def sample_data_module(installations: Installations) -> ModuleType:
    """Double of the module ``SampleData``."""

    class SampleDataLogic:
        @staticmethod
        def registerCustomSampleDataSource(
            category: str = "Custom",
            sampleName: Any = None,
            uris: Any = None,
            fileNames: Any = None,
            nodeNames: Any = None,
            customDownloader: Any = None,
            thumbnailFileName: Any = None,
            loadFileTypes: Any = None,
            loadFiles: Any = None,
            loadFileProperties: Any = None,
            checksums: Any = None,
            loadFileType: Any = None,
        ) -> None:
            per_file = {
                "uris": uris,
                "fileNames": fileNames,
                "nodeNames": nodeNames,
                "loadFiles": loadFiles,
                "loadFileType": loadFileType,
                "checksums": checksums,
            }
            source = SimpleNamespace(**locals())
            vars(source).update(one_for_each_file(per_file))
            installations.samples.append(source)

    return module("SampleData", SampleDataLogic=SampleDataLogic)


def one_for_each_file(fields: dict[str, Any]) -> dict[str, list[Any]]:
    """Make lists of a sample's fields as ``SampleDataSource`` does: it takes the length of each.

    Raises:
        TypeError: a field without a default has no length.
        ValueError: the lengths differ.
    """
    uris = fields["uris"]
    if isinstance(uris, str):
        lists = {name: [value] for name, value in fields.items()}
    else:
        length = len(uris)
        defaults = ("nodeNames", "loadFiles", "loadFileType", "checksums")
        lists = {n: [None] * length if v is None and n in defaults else v for n, v in fields.items()}
    if len({len(values) for values in lists.values()}) != 1:
        raise ValueError(f"All fields of sample data source must have the same length: {lists}")
    return lists


def module(name: str, **contents: Any) -> ModuleType:
    """A Python module made here."""
    made = ModuleType(name)
    vars(made).update(contents)
    return made
