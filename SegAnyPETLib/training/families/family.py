"""What differs between the families of networks in training; everything else is the trainer's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from SegAnyPETLib.training.answers import Answers
from SegAnyPETLib.training.episodes import Episode
from SegAnyPETLib.training.families.lite import LiteTrainee
from SegAnyPETLib.training.families.sam import SamTrainee
from SegAnyPETLib.training.recipe import Recipe


class Trainee(Protocol):
    """A family of networks under training."""

    def network(self) -> nn.Module:
        """Return the network that the run starts with."""
        ...

    def forward(
        self, net: nn.Module, episodes: Sequence[Episode], rng: np.random.Generator, device: torch.device
    ) -> Answers:
        """Show a network some episodes.

        Args:
            net: what `network` made, or the same wrapped for several processes.
            episodes: B targets with their prompts so far.
            rng: decides what of them is shown.
            device: where the network is.
        """
        ...

    def save(self, net: nn.Module) -> Path:
        """Write the weights to the run's folder and return the file."""
        ...


def trainee_of(recipe: Recipe, output: Path) -> Trainee:
    """Return the family that a recipe trains."""
    return SamTrainee(recipe, output) if recipe.family == "sam" else LiteTrainee(recipe, output)
