"""A training run as a YAML file."""

from __future__ import annotations

import math
import re
import reprlib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

import yaml

from SegAnyPETLib.errors import InputError


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run.

    Attributes:
        name: of the run; its files are named after it.
        steps: optimiser steps.
        batch: windows per step.
        slots: targets on their way at the same time.
        size: voxels per side of the windows; a multiple of 16.
        learning_rate: highest one; it rises over `warmup` steps and falls to zero along a cosine.
        warmup: steps.
        weight_decay: of AdamW.
        ema: decay of the averaged weights, which are the result.
        bf16: whether the network runs in bfloat16 under autocast.
        seed: of everything random.
        real_share: share of windows from real cases.
        organ_share: share of simulated windows whose target is an organ.
        analytic_bodies: anatomies made without any data.
        organ_maps: folder of multi-organ label maps, relative to the data folder; "" for none.
        organ_map_stride: every n-th map, from the first, is left out of training; 0 leaves none out.
        real_cases: folder with one folder per case (PET_image.nii.gz, PET_mask.nii.gz), relative to the data folder;
            "" for none.
        exclude: names of real cases that are never fitted.
        folds: number of cross-validation folds of the remaining cases, 0 for none.
        fold: the fold that is left out.
        start_from: name of an earlier run in the same output folder whose weights to start from; "" to start anew.
        checkpoint_every: steps between checkpoints.
    """

    name: str
    steps: int
    batch: int = 2
    slots: int = 8
    size: int = 64
    learning_rate: float = 2e-3
    warmup: int = 100
    weight_decay: float = 1e-2
    ema: float = 0.998
    bf16: bool = True
    seed: int = 0
    real_share: float = 0.0
    organ_share: float = 0.35
    analytic_bodies: int = 8
    organ_maps: str = ""
    organ_map_stride: int = 0
    real_cases: str = ""
    exclude: tuple[str, ...] = ()
    folds: int = 0
    fold: int = 0
    start_from: str = ""
    checkpoint_every: int = 200


def read_recipe(path: Path, data: Path | None = None) -> Recipe:
    """Read and check a recipe.

    Args:
        path: the YAML file.
        data: folder that `organ_maps` and `real_cases` are relative to; the recipe's own where it is not given.

    Raises:
        InputError: the file is missing or not YAML, or a setting is unknown, missing or out of range.
    """
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the recipe {path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # not every error of the parser is its own
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(settings, dict):
        raise InputError(f"{path} must hold settings such as 'steps: 1000'")
    unknown = [str(name) for name in settings if name not in {f.name for f in fields(Recipe)}]
    if unknown:
        raise InputError(f"unknown settings in {path}: {', '.join(unknown)}; correct or remove them")
    missing = [f.name for f in fields(Recipe) if f.default is MISSING and f.name not in settings]
    if missing:
        raise InputError(f"{path} lacks the settings: {', '.join(missing)}")
    if "exclude" in settings:
        names = settings["exclude"]
        # The letters of a lone name would exclude nothing.
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError("the recipe's exclude must be a list of names, such as [CASE_1]")
        settings["exclude"] = tuple(names)
    for name in ("organ_maps", "real_cases"):
        if isinstance(settings.get(name), str) and settings[name]:
            settings[name] = str((data or path.parent) / settings[name])
    recipe = Recipe(**settings)
    check_recipe(recipe)
    return recipe


def check_recipe(recipe: Recipe) -> None:
    """Refuse settings that cannot work.

    Raises:
        InputError: a setting has the wrong type or is out of range.
    """
    for field in fields(Recipe):
        value, default = getattr(recipe, field.name), field.default
        wanted = {"name": str, "steps": int}.get(field.name, type(default))
        fits = isinstance(value, wanted) or (wanted is float and isinstance(value, int))
        if not fits or (isinstance(value, bool) and wanted is not bool):
            raise InputError(f"the recipe's {field.name} must be of type {wanted.__name__}, not {reprlib.repr(value)}")
    for name in (recipe.name, recipe.start_from or recipe.name):
        if not re.fullmatch(r"\w[\w.-]*", name):
            raise InputError(f"{reprlib.repr(name)} is no name of a run; use letters, digits, '-', '_' and '.'")
    if recipe.size % 16 or recipe.size < 32:
        raise InputError("the recipe's size must be a multiple of 16 and at least 32")
    counts = (recipe.steps, recipe.batch, recipe.slots, recipe.warmup, recipe.checkpoint_every)
    if min(counts) < 1 or recipe.slots < recipe.batch:
        raise InputError(
            "steps, batch, slots, warmup and checkpoint_every must be at least 1, and slots at least batch"
        )
    if not 0 <= recipe.real_share <= 1 or not 0 <= recipe.organ_share <= 1:
        raise InputError("real_share and organ_share must lie between 0 and 1")
    if recipe.real_share > 0 and not recipe.real_cases:
        raise InputError("real_share needs real_cases, a folder with cases")
    if not recipe.organ_maps and recipe.analytic_bodies < 1:
        raise InputError("a recipe needs organ_maps or analytic_bodies")
    if not 0 < recipe.learning_rate < math.inf or not 0 <= recipe.weight_decay < math.inf or not 0 <= recipe.ema < 1:
        raise InputError("learning_rate must be above 0, weight_decay at least 0, ema at least 0 and below 1")
    if not 0 <= recipe.seed < 2**63:
        raise InputError("the recipe's seed must be zero or more, and below 2 to the power of 63")
    if recipe.analytic_bodies < 0 or recipe.organ_map_stride < 0 or recipe.organ_map_stride == 1:
        raise InputError("analytic_bodies must be at least 0, and organ_map_stride 0 or at least 2")
    if recipe.folds < 0 or recipe.folds == 1:
        raise InputError("folds must be 0 or at least 2; a single one would leave out every case")
    if recipe.folds and not 0 <= recipe.fold < recipe.folds:
        raise InputError("fold must lie between 0 and folds - 1")
