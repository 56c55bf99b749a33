"""A recipe as a YAML file."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.training.recipe import CHECKPOINTS, Recipe, check_recipe

#: Settings of a network that follow from others.
DERIVED = ("size", "boxes")

#: What a value must be, by the kind of pydantic's error.
WANTED = {
    "string_type": "of type str",
    "int_type": "of type int",
    "int_from_float": "of type int",
    "int_parsing": "of type int",
    "float_type": "of type float",
    "bool_type": "of type bool",
    "tuple_type": "a list, such as [A]",
    "dict_type": "a block of settings",
    "dataclass_type": "a block of settings",
}


def read_recipe(path: Path, data: Path | None = None) -> Recipe:
    """Read and check a recipe.

    Args:
        path: the YAML file.
        data: folder that `organ_maps`, `real_cases` and a checkpoint to start from are relative to; the recipe's own
            if it is not given.

    Raises:
        InputError: the file is missing or not YAML, or a setting is unknown, missing, of another type or out of range.
    """
    settings = _settings(path)
    folders = ["organ_maps", "real_cases"]
    if str(settings.get("start_from", "")).endswith(CHECKPOINTS):
        folders.append("start_from")
    for name in folders:
        if isinstance(settings.get(name), str) and settings[name]:
            settings[name] = str((data or path.parent) / settings[name])
    if settings.get("family") == "sam":
        settings["sam"] = _sizes(settings.get("sam", {}), settings.get("size", Recipe.size))
    try:
        recipe = TypeAdapter(Recipe).validate_python(settings)
    except ValidationError as error:
        raise InputError(_message(error.errors(include_url=False, include_context=False), path)) from None
    check_recipe(recipe)
    return recipe


def _settings(path: Path) -> dict[str, Any]:
    """Read the settings in a file."""
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the recipe {path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # not every error of the parser is its own
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(settings, dict):
        raise InputError(f"{path} must hold settings such as 'steps: 1000'")
    return {str(name): value for name, value in settings.items()}


def _sizes(block: object, size: object) -> object:
    """Return the sizes of a network: the published ones except those in the block, and the recipe's window size.

    Raises:
        InputError: the block holds what follows from other settings.
    """
    if not isinstance(block, dict):
        return block
    if set(block) & set(DERIVED):
        raise InputError(f"the recipe's sam: leave out {' and '.join(DERIVED)}, which follow from other settings")
    return asdict(SamConfig()) | {str(name): value for name, value in block.items()} | {"size": size}


def _message(errors: Sequence[ErrorDetails], path: Path) -> str:
    """Say what is wrong with the settings of a recipe, in one line."""
    unknown = [_name(error) for error in errors if error["type"] == "unexpected_keyword_argument"]
    if unknown:
        return f"unknown settings in {path}: {', '.join(unknown)}; correct or remove them"
    missing = [_name(error) for error in errors if error["type"] == "missing"]
    if missing:
        return f"{path} lacks the settings: {', '.join(missing)}"
    first = errors[0]
    wanted = WANTED.get(first["type"], first["msg"])
    return f"the recipe's {_name(first)} must be {wanted}, not {reprlib.repr(first['input'])}"


def _name(error: ErrorDetails) -> str:
    return ": ".join(str(part) for part in error["loc"])
