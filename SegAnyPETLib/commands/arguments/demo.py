"""Options of ``seganypet demo``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import ModelArguments, add_backend, add_command, click_count, seed_number


@dataclass(frozen=True)
class DemoOptions:
    """What `seganypet demo` is asked to do.

    Attributes:
        output: folder.
        model: what segments.
        clicks: per lesion.
        seed: of phantom and simulated user.
    """

    output: Path
    model: ModelArguments
    clicks: int = 3
    seed: int = 0


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "demo",
        "make a phantom, click its lesions, and compare the quantities with the truth",
        "  seganypet demo --output demo_output\n  seganypet demo --output demo_output --clicks 5 --seed 2",
    )
    parser.add_argument("--output", type=Path, default=Path("demo_output"), metavar="DIR", help="folder to write to")
    parser.add_argument("--clicks", type=click_count, default=3, metavar="N", help="clicks per lesion (default: 3)")
    parser.add_argument("--seed", type=seed_number, default=0, help="another seed, another patient (default: 0)")
    add_backend(parser)
    parser.set_defaults(kind=DemoOptions)
