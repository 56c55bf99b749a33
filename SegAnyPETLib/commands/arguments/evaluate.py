"""Options of ``seganypet evaluate``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from SegAnyPETLib.commands.arguments.shared import (
    JobArguments,
    ModelArguments,
    add_backend,
    add_command,
    add_jobs,
    click_count,
    seed_number,
)

#: The simulated users, and the protocol of a challenge; as in `evaluation.settings`.
Robot = Literal["ideal", "noisy", "human", "chooser", "autopet4"]


@dataclass(frozen=True)
class EvaluateOptions:
    """What `seganypet evaluate` is asked to do.

    Attributes:
        manifest: JSON list of cases with their references.
        output: the report.
        model: what is measured.
        jobs: how many cases at a time.
        clicks: per target.
        robot: the simulated user.
        seed: of the simulated user.
        baselines: whether threshold methods are measured too.
        split_components: whether each connected part of a label is a target of its own.
        html: the report as a page.
    """

    manifest: Path
    output: Path
    model: ModelArguments
    jobs: JobArguments
    clicks: int = 10
    robot: Robot = "ideal"
    seed: int = 0
    baselines: bool = False
    split_components: bool = False
    html: Path | None = None


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "evaluate",
        "measure a model with a simulated user on reference masks",
        "  seganypet evaluate --manifest cases.json --model lite --clicks 10 --output report.json\n"
        "  seganypet evaluate --manifest cases.json --robot noisy --seed 7 --baselines --output report.json\n"
        "  seganypet evaluate --manifest cases.json --jobs 4 --threads 1 --output report.json\n"
        "cases.json:\n"
        '  {"cases": [{"id": "a", "image": "a/pet.nii.gz", "label": "a/lesions.nii.gz"}]}\n'
        "  every positive value of a label map is one target, and every region of a DICOM SEG or RTSTRUCT, unless\n"
        '  "label_segment" names one of them; paths are relative to the manifest',
    )
    parser.add_argument("--manifest", type=Path, required=True, metavar="M.json", help="the cases")
    add_backend(parser)
    add_jobs(parser)
    parser.add_argument("--clicks", type=click_count, default=10, metavar="N", help="clicks per target (default: 10)")
    parser.add_argument(
        "--robot",
        choices=get_args(Robot),
        default="ideal",
        help="the simulated user, or the click protocol of autoPET IV for all lesions together (default: ideal)",
    )
    parser.add_argument("--seed", type=seed_number, default=0, help="seed of the simulated user (default: 0)")
    parser.add_argument("--baselines", action="store_true", help="measure threshold methods on the same targets too")
    parser.add_argument(
        "--split-components", action="store_true", help="each connected part of a label is a target of its own"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="R.json", help="the report")
    parser.add_argument("--html", type=Path, metavar="R.html", help="the report as a page that opens without a network")
    parser.set_defaults(kind=EvaluateOptions)
