"""Load a model by its name, or from a file."""

from __future__ import annotations

from pathlib import Path

from SegAnyPETLib.models.lite.predictor import LiteModel
from SegAnyPETLib.models.lite.weights import is_lite
from SegAnyPETLib.models.promptable import Promptable
from SegAnyPETLib.models.sam.predictor import SamModel
from SegAnyPETLib.models.weights.registry import CHECKPOINT_SUFFIXES, MODELS, find_model
from SegAnyPETLib.models.weights.store import check_unchanged, weights_file


def load_model(model: str) -> Promptable:
    """Load a model of the registry, or a weights file.

    Args:
        model: a name such as "lite" or "lesion", or the path of a file.

    Raises:
        InputError: the name is not known, the model is not installed, or its weights are damaged or not those that were
            installed.
    """
    if model not in MODELS and model.endswith(CHECKPOINT_SUFFIXES):
        path = Path(model)
        return LiteModel.load(path, path.stem) if is_lite(path) else SamModel.load(path, path.stem)
    entry = find_model(model)
    path = weights_file(model)
    if entry.family == "lite":
        return LiteModel.load(path, entry.name)
    loaded = SamModel.load(path, entry.name, entry.licence or "")
    check_unchanged(entry, loaded.spec.sha256)
    return loaded
