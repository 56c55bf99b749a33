"""What the model needs beside Slicer: explained where it is absent, and installed only when the user agrees."""

import importlib
import importlib.util

import slicer
from slicer.i18n import tr as _

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.resources import resource_path
from SegAnyPETPanel.model_choice import SERVER

#: Packages by the place where the model runs; what a client needs brings no torch.
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


def missing(place):
    """Names of the packages that are absent for a place, torch first."""
    return [name for name in (CLIENT if place == SERVER else LOCAL) if importlib.util.find_spec(name) is None]


def ensure(place):
    """Install what is absent, each after asking. Only for the GUI's thread.

    Raises:
        SegAnyPETError: the user refused, or the PyTorch extension is absent.
    """
    names = missing(place)
    if "torch" in names:
        _installTorch()
    if any(name != "torch" for name in names):
        _installOthers(CLIENT if place == SERVER else None)
    importlib.invalidate_caches()


def _installTorch():
    try:
        import PyTorchUtils
    except ImportError:
        raise InputError(
            _("PyTorch is not installed. Install the extension PyTorch with Slicer's Extensions Manager, and restart.")
        ) from None
    logic = PyTorchUtils.PyTorchUtilsLogic()
    if logic.installTorch(askConfirmation=True, torchVersionRequirement=TORCH) is None:
        raise SegAnyPETError(_("PyTorch was not installed, so the model cannot run on this computer."))


def _installOthers(only):
    """Install packages of requirements.txt: all, or those of some names. numpy and SimpleITK are not among them."""
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
    except RuntimeError as error:  # how it tells that the user declined
        raise refused from error


def _lines():
    lines = resource_path("requirements.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
