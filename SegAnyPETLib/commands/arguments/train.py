"""Options of ``seganypet train``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import DEVICES, add_command


@dataclass(frozen=True)
class TrainOptions:
    """What `seganypet train` is asked to do.

    Attributes:
        recipe: YAML file.
        output: folder of checkpoints, log and weights.
        data: folder of the recipe's data; None for the recipe's own.
        resume: whether to go on from the checkpoint in the output folder.
        device: "cpu", "cuda" or "mps".
    """

    recipe: Path
    output: Path
    data: Path | None = None
    resume: bool = False
    device: str = "cpu"


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "train",
        "train a model by a recipe",
        "  seganypet train recipe.yaml\n"
        "  seganypet train recipe.yaml --data my_data --output runs --device cuda\n"
        "  seganypet train recipe.yaml --output runs --resume",
    )
    parser.add_argument("recipe", type=Path, metavar="RECIPE.yaml", help="data, schedule and seed")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the recipe's data (default: the recipe's own)"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("runs"), metavar="DIR", help="checkpoints, log and weights (default: runs)"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the output folder")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="where to train (default: cpu)")
    parser.set_defaults(kind=TrainOptions)
