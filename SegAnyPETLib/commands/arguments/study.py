"""Options of ``seganypet study``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import ModelArguments, add_backend, add_command, click_count, seed_number


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


@dataclass(frozen=True)
class AnalyseStudy:
    """Analyse a study.

    Attributes:
        study: its folder.
    """

    study: Path


@dataclass(frozen=True)
class CheckStudy:
    """Check the logs of a study.

    Attributes:
        study: its folder.
    """

    study: Path


@dataclass(frozen=True)
class PlayStudy:
    """Let robots read a study of phantoms.

    Attributes:
        output: the study's folder.
        model: what assists them.
        cases: number of phantoms.
        lesions: in each.
        seed: of everything random.
    """

    output: Path
    model: ModelArguments
    cases: int = 12
    lesions: int = 3
    seed: int = 0


StudyOptions = PlanStudy | AnalyseStudy | CheckStudy | PlayStudy


def add(commands: Any) -> None:
    """Add the command to the parser."""
    study = add_command(
        commands,
        "study",
        "plan a reader study of annotation time, check its logs, analyse it",
        "  seganypet study plan plan.yaml --manifest cases.json --output my_study\n"
        "  seganypet study check my_study\n"
        "  seganypet study analyse my_study\n"
        "  seganypet study demo --output study_demo",
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
    checked = add_command(
        actions,
        "check",
        "find edited, cut, moved or merged logs; print how far every reader is and the checksums",
        "  seganypet study check my_study",
    )
    analysed = add_command(
        actions,
        "analyse",
        "compute times, savings, quality and agreement; write the report and its tables",
        "  seganypet study analyse my_study",
    )
    for parser, kind in ((checked, CheckStudy), (analysed, AnalyseStudy)):
        parser.add_argument("study", type=Path, metavar="FOLDER", help="the study's folder")
        parser.set_defaults(kind=kind)
    played = add_command(
        actions,
        "demo",
        "let two robots with a human pace read phantoms in both arms, and write the report; simulated",
        "  seganypet study demo --output study_demo\n  seganypet study demo --output study_demo --cases 6 --lesions 2",
    )
    played.add_argument("--output", type=Path, default=Path("study_demo"), metavar="FOLDER", help="the study's folder")
    played.add_argument("--cases", type=click_count, default=12, metavar="N", help="phantoms (default: 12, at least 6)")
    played.add_argument("--lesions", type=click_count, default=3, metavar="N", help="lesions in each (default: 3)")
    played.add_argument("--seed", type=seed_number, default=0, help="another seed, other phantoms (default: 0)")
    add_backend(played)
    played.set_defaults(kind=PlayStudy)
