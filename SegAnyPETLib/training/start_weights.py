"""The weights that a run starts from."""

from __future__ import annotations

from pathlib import Path

from SegAnyPETLib.models.weights.registry import MODELS
from SegAnyPETLib.models.weights.store import weights_file


def start_file(start_from: str, output: Path) -> Path:
    """Return the weights of an earlier run in a folder or, if the folder has none of this name, of a known model.

    Args:
        start_from: name of a run, or of a model such as "lite".
        output: folder with the results of runs.

    Raises:
        InputError: the model is known but not installed.
    """
    path = output / f"{start_from}.safetensors"
    return weights_file(start_from) if start_from in MODELS and not path.is_file() else path
