"""Offer the CPU if a model's device is missing or too small; a device is never replaced without asking."""

from __future__ import annotations

from dataclasses import replace

import slicer
import slicer.util
from slicer.i18n import tr as _

from SegAnyPETLib.errors import DeviceMissing, OutOfMemory
from SegAnyPETPanel.model.choice import SERVER, ModelChoice
from SegAnyPETPanel.sentences import sentence


def isDeviceError(error: BaseException, choice: ModelChoice) -> bool:
    """Return whether a model failed because of its device, so that the CPU of this computer may do."""
    onDevice = choice.location != SERVER and choice.device != "cpu"
    return onDevice and isinstance(error, DeviceMissing | OutOfMemory)


def askForCpu(error: BaseException, choice: ModelChoice) -> ModelChoice | None:
    """Ask the user whether to run the model on the CPU; return the choice with the CPU, or None if they refuse."""
    question = _("{error} Run the model on the CPU instead? It is slower.").format(error=sentence(error))
    return replace(choice, device="cpu") if slicer.util.confirmYesNoDisplay(question) else None
