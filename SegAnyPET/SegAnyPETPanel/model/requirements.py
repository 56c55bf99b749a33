"""Packages that the model needs beside Slicer: shown if they are missing, installed only if the user agrees."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence

import slicer
import slicer.util
from slicer.i18n import tr as _

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.resources import resource_path
from SegAnyPETPanel.model.choice import SERVER

#: Packages by the location of the model; a client needs no torch.
CLIENT = ("httpx", "safetensors")
LOCAL = (
    "torch",
    *CLIENT,
    "fastapi",
    "uvicorn",
    "prometheus_client",
    "monai",
    "huggingface_hub",
    "filelock",
    "platformdirs",
    "tqdm",
)
#: As in pyproject.toml.
TORCH = ">=2.8,<=2.13.0"


def missing(location: str) -> list[str]:
    """Return the names of the packages that a location needs and that are not installed, torch first."""
    return [name for name in (CLIENT if location == SERVER else LOCAL) if importlib.util.find_spec(name) is None]


def ensure(location: str) -> None:
    """Install what is missing, after asking. Only for the GUI thread; installers process GUI events meanwhile.

    Raises:
        SegAnyPETError: the user refused, or the PyTorch extension is missing.
    """
    names = missing(location)
    if "torch" in names:
        _installTorch()
    if any(name != "torch" for name in names):
        _installOthers(CLIENT if location == SERVER else None)
    importlib.invalidate_caches()


def _installTorch() -> None:
    try:
        import PyTorchUtils
    except ImportError:
        raise InputError(
            _("PyTorch is not installed. Install the extension PyTorch with Slicer's Extensions Manager, and restart.")
        ) from None
    logic = PyTorchUtils.PyTorchUtilsLogic()
    if logic.installTorch(askConfirmation=True, torchVersionRequirement=TORCH) is None:
        raise SegAnyPETError(_("PyTorch was not installed, so the model cannot run on this computer."))


def _installOthers(only: Sequence[str] | None) -> None:
    """Install packages of requirements.txt, all or only some by name; numpy and SimpleITK are not among them."""
    wanted = [line for line in _lines() if only is None or any(line.startswith(name) for name in only)]
    refused = SegAnyPETError(_("The packages were not installed, so the model cannot be asked."))
    try:
        from slicer.packaging import pip_ensure
    except ImportError:  # Slicer 5.10
        question = _("SegAnyPET needs further Python packages to ask a model. Install them now?")
        if not slicer.util.confirmOkCancelDisplay(question):
            raise refused from None
        slicer.util.pip_install(" ".join(f'"{line}"' for line in wanted))
        return
    try:
        pip_ensure(wanted, requester="SegAnyPET")
    except RuntimeError as error:  # its way to report that the user declined
        raise refused from error


def _lines() -> list[str]:
    lines = resource_path("requirements.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
