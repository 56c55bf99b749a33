"""Options of ``seganypet phantom``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import add_command, seed_number


@dataclass(frozen=True)
class PhantomOptions:
    """What `seganypet phantom` is asked to do.

    Attributes:
        output: folder.
        organ_map: label map of organs; None for an analytic body.
        tracer: "fdg" or "psma".
        seed: equal seeds give equal phantoms.
    """

    output: Path
    organ_map: Path | None = None
    tracer: str = "fdg"
    seed: int = 0


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "phantom",
        "make a simulated whole-body PET with organs, lesions and their truth",
        "  seganypet phantom --output phantom\n"
        "  seganypet phantom --output phantom --seed 3 --tracer psma\n"
        "  seganypet evaluate --manifest phantom/manifest.json --output report.json",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder, made where absent")
    parser.add_argument("--organ-map", type=Path, metavar="F", help="label map of organs (default: an analytic body)")
    parser.add_argument("--tracer", choices=["fdg", "psma"], default="fdg", help="whose uptake (default: fdg)")
    parser.add_argument("--seed", type=seed_number, default=0, help="another seed, another patient (default: 0)")
    parser.set_defaults(kind=PhantomOptions)
