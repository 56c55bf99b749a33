"""``seganypet info``: versions, devices and the bundled model."""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version

from SegAnyPETLib import __version__
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.resources import resource_path

PACKAGES = ("numpy", "scipy", "SimpleITK", "pydicom", "torch", "monai", "safetensors", "matplotlib")

WEIGHTS, MODEL_CARD = "lite.safetensors", "MODEL_CARD.md"


def run(arguments: argparse.Namespace) -> None:
    """Print what is installed.

    Raises:
        SegAnyPETError: the bundled model is missing.
    """
    rows = [
        ("SegAnyPET", __version__),
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
    ]
    rows += [(package, _installed(package)) for package in PACKAGES]
    rows += [("devices", _devices()), *_model()]
    for name, text in rows:
        print(f"{name:12} {text}")
    print(NOTICE)


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


def _model() -> list[tuple[str, str]]:
    weights = resource_path(WEIGHTS)
    content = weights.read_bytes()
    return [
        ("model", "lite (SegAnyPET-Lite, bundled)"),
        ("weights", f"{weights} ({len(content) / 1e6:.1f} MB)"),
        ("sha256", hashlib.sha256(content).hexdigest()),
        ("licence", _licence(content)),
        ("model card", f"{resource_path(MODEL_CARD)}"),
    ]


def _licence(weights: bytes) -> str:
    """What a weights file says of its licence; a safetensors file begins with the length of its JSON header."""
    header = json.loads(weights[8 : 8 + int.from_bytes(weights[:8], "little")])
    licence: str = json.loads(header["__metadata__"]["spec"])["licence"]
    return licence
