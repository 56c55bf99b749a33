"""Options of ``seganypet study``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import add_command


@dataclass(frozen=True)
class PlanStudy:
    """Make a study's folder.

    Attributes:
        plan: YAML file.
        manifest: JSON or YAML file with the cases.
        output: the study's folder; None to print only.
    """

    plan: Path
    manifest: Path
    output: Path | None = None


StudyOptions = PlanStudy


def add(commands: Any) -> None:
    """Add the command to the parser."""
    study = add_command(
        commands,
        "study",
        "plan a reader study of annotation time, check its logs, analyse it",
        "  seganypet study plan plan.yaml --manifest cases.json --output my_study",
    )
    actions = study.add_subparsers(dest="action", required=True, metavar="ACTION")
    planned = add_command(
        actions,
        "plan",
        "draw the schedule, compute the power, refuse what cannot answer its question, make the folder",
        "  seganypet study plan plan.yaml --manifest cases.json\n"
        "  seganypet study plan plan.yaml --manifest cases.json --output my_study",
    )
    planned.add_argument("plan", type=Path, metavar="PLAN", help="the plan, a YAML file")
    planned.add_argument("--manifest", type=Path, required=True, metavar="FILE", help="the cases, JSON or YAML")
    planned.add_argument("--output", type=Path, metavar="FOLDER", help="the study's folder (default: print only)")
    planned.set_defaults(kind=PlanStudy)
