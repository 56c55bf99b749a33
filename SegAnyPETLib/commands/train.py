"""``seganypet train``: a model by a recipe."""

from __future__ import annotations

import argparse

from SegAnyPETLib.errors import InputError


def run(arguments: argparse.Namespace) -> None:
    """Train, or go on training.

    Raises:
        InputError: the recipe cannot be used.
    """
    if not arguments.recipe.is_file():
        raise InputError(f"{arguments.recipe.name} is not there; check the path of the recipe")
    from SegAnyPETLib.training.trainer import train

    train(arguments.recipe, output=arguments.output, device=arguments.device, resume=arguments.resume)
