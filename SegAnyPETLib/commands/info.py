"""``seganypet info``: versions, devices and models; or the PET series of a folder."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from SegAnyPETLib import __version__
from SegAnyPETLib.commands.arguments.info import InfoOptions
from SegAnyPETLib.models.weights.registry import MODELS
from SegAnyPETLib.models.weights.store import home, installed
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.resources import resource_path
from SegAnyPETLib.volume.dicom.study import find_series

PACKAGES = ("numpy", "scipy", "SimpleITK", "pydicom", "torch", "monai", "safetensors", "huggingface_hub", "matplotlib")

MODEL_CARD = "MODEL_CARD.md"


def run(options: InfoOptions) -> None:
    """Print what is installed, or the PET series of a folder.

    Raises:
        InputError: the folder cannot be read.
        SegAnyPETError: the bundled model is missing.
    """
    if options.folder is not None:
        _tell_series(options.folder)
        return
    rows = [
        ("SegAnyPET", __version__),
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
    ]
    rows += [(package, _installed(package)) for package in PACKAGES]
    rows += [("devices", _devices()), *_bundled(), *_others()]
    for name, text in rows:
        print(f"{name:15} {text}")
    print(NOTICE)


def _tell_series(folder: Path) -> None:
    study = find_series(folder)
    if not study.series:
        print(f"{study.where} holds no DICOM PET images")
    for number, series in enumerate(study.series, start=1):
        print(f"{number:3}  {series.line}")
    if study.others:
        print(f"besides: {', '.join(f'{count} {name}' for name, count in study.others)}")


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _devices() -> str:
    if _installed("torch") == "not installed":
        return "none without torch; in the project's folder run: pip install '.[models]'"
    import torch

    devices = [f"cpu ({torch.get_num_threads()} threads)"]
    if torch.cuda.is_available():
        devices.append(f"cuda ({torch.cuda.get_device_name()})")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return ", ".join(devices)


def _others() -> list[tuple[str, str]]:
    """List the models that are not bundled, and the folder of installed weights."""
    there = installed()
    rows = [
        (model.name, f"{there[model.name].file}, SHA-256 {there[model.name].sha256}")
        if model.name in there
        else (model.name, f"not installed; run: seganypet weights fetch {model.name}")
        for model in MODELS.values()
        if model.bundled is None
    ]
    return [*rows, ("weights folder", f"{home()}")]


def _bundled() -> list[tuple[str, str]]:
    weights = resource_path(str(MODELS["lite"].bundled))
    content = weights.read_bytes()
    return [
        ("model", "lite (SegAnyPET-Lite, bundled)"),
        ("weights", f"{weights} ({len(content) / 1e6:.1f} MB)"),
        ("sha256", hashlib.sha256(content).hexdigest()),
        ("licence", _licence(content)),
        ("model card", f"{resource_path(MODEL_CARD)}"),
    ]


def _licence(weights: bytes) -> str:
    """Read the licence from the JSON header of a safetensors file, which begins with the header's length."""
    header = json.loads(weights[8 : 8 + int.from_bytes(weights[:8], "little")])
    licence: str = json.loads(header["__metadata__"]["spec"])["licence"]
    return licence
