"""``seganypet train``: a model by a recipe."""

from __future__ import annotations

from SegAnyPETLib.commands.arguments.train import TrainOptions
from SegAnyPETLib.commands.common.outputs import check_folder
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.device import checked_device
from SegAnyPETLib.training.recipe_file import read_recipe
from SegAnyPETLib.training.trainer import train
from SegAnyPETLib.training.world import World


def run(options: TrainOptions) -> None:
    """Train, or go on training, and say where the weights are.

    Raises:
        InputError: the recipe, the device or the folder cannot be used.
    """
    recipe = read_recipe(options.recipe, options.data)
    checked_device(options.device)
    checkpoint = options.output / f"{recipe.name}.pt"
    if options.resume and not checkpoint.is_file():
        raise InputError(f"there is no checkpoint {checkpoint} to go on from; leave out --resume")
    check_folder(options.output)  # the trainer makes it once it has its data
    weights = train(recipe, options.output, options.device, resume=options.resume)
    if not World.from_environment().first:
        return
    print(f"weights  {weights}")
    print(f"log      {weights.with_suffix('.csv')}")
    print(f"use them with: seganypet segment PET --model {weights} ...")
