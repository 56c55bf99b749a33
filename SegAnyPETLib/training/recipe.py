"""Everything that decides a training run, and what can work together."""

from __future__ import annotations

import math
import re
import reprlib
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from pydantic import StrictBool, StrictFloat, StrictInt

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.sam.config import SamConfig

FAMILIES = ("lite", "sam")
#: Endings of checkpoints of the published layout.
CHECKPOINTS = (".pth", ".pt", ".safetensors")
#: Of the decoder's eight heads after its widths are halved, and of positions as three groups of frequencies.
PROMPT_WIDTH_STEP = 48


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run.

    Attributes:
        name: of the run; its files are named after it.
        steps: optimiser steps.
        family: "lite", or "sam" for the published architecture.
        sam: sizes of a network of the family "sam"; those of the published one where they are not given. Its window
            is that of `size`.
        batch: windows that pass through the network at once; on each process, where there are several.
        accumulate: batches per step.
        slots: targets on their way at the same time.
        size: voxels per side of the windows; a multiple of 16 and, for "sam", of its patch.
        window_spacing_mm: voxel size of all windows, for "sam"; 0 for "lite", whose windows have many.
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
        max_organ_maps: at most this many of the maps, evenly spread over their names; 0 for all.
        real_cases: folder with one folder per case (PET_image.nii.gz, PET_mask.nii.gz), relative to the data folder;
            "" for none.
        exclude: names of real cases that are never fitted.
        folds: number of cross-validation folds of the remaining cases, 0 for none.
        fold: the fold that is left out.
        low_quality: names of real cases whose masks are of low quality; see `confidence`.
        noisy_share: share of simulated windows that get a degraded reference, of low quality, instead of the true one.
        prompt_rounds: rounds of prompts that decide how confident the model is of a low-quality target.
        rectify_after: step from which low-quality references are rectified.
        start_from: weights to start from: name of an earlier run in the same output folder, else of a model such as
            "lite", or for "sam" a checkpoint of the published layout, relative to the data folder; "" for new ones.
        keep_start: share of the weights of `start_from` in the result, 0 to 1; the rest is what training made of them.
        heads_only: for "lite", train the further masks and the estimate alone; the rest of the network, and so its
            first mask, stays as in `start_from`.
        max_clicks: steps of a target at most.
        checkpoint_every: steps between checkpoints.
    """

    # For pydantic, which reads recipes: unknown settings are refused.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    name: str
    steps: StrictInt
    family: str = "lite"
    sam: SamConfig | None = None
    batch: StrictInt = 2
    accumulate: StrictInt = 1
    slots: StrictInt = 8
    size: StrictInt = 64
    window_spacing_mm: StrictFloat = 0.0
    learning_rate: StrictFloat = 2e-3
    warmup: StrictInt = 100
    weight_decay: StrictFloat = 1e-2
    ema: StrictFloat = 0.998
    bf16: StrictBool = True
    seed: StrictInt = 0
    real_share: StrictFloat = 0.0
    organ_share: StrictFloat = 0.35
    analytic_bodies: StrictInt = 8
    organ_maps: str = ""
    organ_map_stride: StrictInt = 0
    max_organ_maps: StrictInt = 0
    real_cases: str = ""
    exclude: tuple[str, ...] = ()
    folds: StrictInt = 0
    fold: StrictInt = 0
    low_quality: tuple[str, ...] = ()
    noisy_share: StrictFloat = 0.0
    prompt_rounds: StrictInt = 4
    rectify_after: StrictInt = 500
    start_from: str = ""
    keep_start: StrictFloat = 0.0
    heads_only: StrictBool = False
    max_clicks: StrictInt = 10
    checkpoint_every: StrictInt = 200

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def check_recipe(recipe: Recipe) -> None:
    """Refuse settings that cannot work.

    Raises:
        InputError: a setting is out of range.
    """
    _check_family(recipe)
    _check_names(recipe)
    _check_steps(recipe)
    _check_data(recipe)
    _check_optimiser(recipe)


def _check_names(recipe: Recipe) -> None:
    from_file = recipe.family == "sam" and recipe.start_from.endswith(CHECKPOINTS)
    for name in (recipe.name, recipe.name if from_file else recipe.start_from or recipe.name):
        if not re.fullmatch(r"\w[\w.-]*", name):
            raise InputError(f"{reprlib.repr(name)} is no name of a run; use letters, digits, '-', '_' and '.'")


def _check_steps(recipe: Recipe) -> None:
    """Return what a step is made of."""
    if recipe.size % 16 or recipe.size < 32:
        raise InputError("the recipe's size must be a multiple of 16 and at least 32")
    counts = [recipe.steps, recipe.batch, recipe.slots, recipe.warmup, recipe.checkpoint_every, recipe.accumulate]
    if min(*counts, recipe.max_clicks) < 1 or recipe.slots < recipe.batch:
        raise InputError(
            "steps, batch, accumulate, slots, warmup, checkpoint_every and max_clicks must be at least 1, and slots at "
            "least batch"
        )
    if not 0 <= recipe.noisy_share <= 1 or recipe.prompt_rounds < 2 or recipe.rectify_after < 0:
        raise InputError(
            "noisy_share must lie between 0 and 1, prompt_rounds be at least 2 and rectify_after at least 0"
        )


def _check_data(recipe: Recipe) -> None:
    if not 0 <= recipe.real_share <= 1 or not 0 <= recipe.organ_share <= 1:
        raise InputError("real_share and organ_share must lie between 0 and 1")
    if recipe.real_share > 0 and not recipe.real_cases:
        raise InputError("real_share needs real_cases, a folder with cases")
    if not recipe.organ_maps and recipe.analytic_bodies < 1:
        raise InputError("a recipe needs organ_maps or analytic_bodies")
    if recipe.max_organ_maps < 0:
        raise InputError("max_organ_maps must be at least 1, or 0 for all")
    if recipe.analytic_bodies < 0 or recipe.organ_map_stride < 0 or recipe.organ_map_stride == 1:
        raise InputError("analytic_bodies must be at least 0, and organ_map_stride 0 or at least 2")
    if recipe.folds < 0 or recipe.folds == 1:
        raise InputError("folds must be 0 or at least 2; a single one would leave out every case")
    if recipe.folds and not 0 <= recipe.fold < recipe.folds:
        raise InputError("fold must lie between 0 and folds - 1")


def _check_optimiser(recipe: Recipe) -> None:
    if not 0 < recipe.learning_rate < math.inf or not 0 <= recipe.weight_decay < math.inf or not 0 <= recipe.ema < 1:
        raise InputError("learning_rate must be above 0, weight_decay at least 0, ema at least 0 and below 1")
    if not 0 <= recipe.keep_start < 1 or (recipe.keep_start and not recipe.start_from):
        raise InputError("keep_start must be at least 0 and below 1, and needs start_from")
    if not 0 <= recipe.seed < 2**63:
        raise InputError("the recipe's seed must be zero or more, and below 2 to the power of 63")


def _check_family(recipe: Recipe) -> None:
    """Refuse a family that is not known, or settings that are not those of the family.

    Raises:
        InputError: as said.
    """
    if recipe.family not in FAMILIES:
        raise InputError(f"the recipe's family must be one of: {', '.join(FAMILIES)}")
    if recipe.heads_only and (recipe.family != "lite" or not recipe.start_from):
        raise InputError("heads_only is a setting of the family lite and needs start_from; remove it or set both")
    if recipe.family == "lite":
        if recipe.sam is not None or recipe.window_spacing_mm:
            raise InputError("sam and window_spacing_mm are settings of the family sam; remove them or set family: sam")
        return
    if recipe.sam is None or recipe.sam.size != recipe.size:
        raise InputError("a recipe of the family sam needs the sizes of its network, for its own window")
    if not 0.5 <= recipe.window_spacing_mm <= 10:
        raise InputError("a recipe of the family sam needs window_spacing_mm, between 0.5 and 10; 1.5 is the published")
    _check_sizes(recipe.sam)


def _check_sizes(config: SamConfig) -> None:
    """Refuse sizes that no network can have.

    Raises:
        InputError: as said.
    """
    counts = (config.patch, config.width, config.depth, config.heads, config.window, config.mask_channels)
    if min(counts) < 1 or config.width % config.heads or config.mask_channels % 4:
        raise InputError(
            "the recipe's sam: sizes must be at least 1, width a multiple of heads, mask_channels a multiple of 4"
        )
    if config.patch % 4 or config.size % config.patch:
        raise InputError("the recipe's sam: patch must be a multiple of 4 that divides size")
    if config.prompt_width < 1 or config.prompt_width % PROMPT_WIDTH_STEP:
        raise InputError(f"the recipe's sam: prompt_width must be a multiple of {PROMPT_WIDTH_STEP}")
    if not all(0 <= n < config.depth for n in config.global_blocks):
        raise InputError("the recipe's sam: global_blocks must lie between 0 and depth - 1")
    if config.window == config.grid:
        raise InputError("the recipe's sam: a window as large as the grid of tokens makes every block global")
