"""Options of ``seganypet bench``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from SegAnyPETLib.commands.arguments.shared import ModelArguments, add_command, add_model, click_count


@dataclass(frozen=True)
class BenchOptions:
    """What `seganypet bench` is asked to do.

    Attributes:
        model: what is measured.
        random_weights: whether the published size is measured with random weights.
        repeats: measurements per row.
    """

    model: ModelArguments
    random_weights: bool = False
    repeats: int = 4


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "bench",
        "measure what each part of a click costs on this machine",
        "  seganypet bench --threads 2\n"
        "  seganypet bench --model lesion --device cuda\n"
        "  seganypet bench --random-weights --threads 1",
    )
    add_model(parser)
    parser.add_argument(
        "--random-weights",
        action="store_true",
        help="measure the published size with random weights, where its weights are not installed",
    )
    parser.add_argument("--repeats", type=click_count, default=4, metavar="N", help="measurements per row (default: 4)")
    parser.set_defaults(kind=BenchOptions)
