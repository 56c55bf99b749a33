"""The folder of a study."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.study.plan.files import canonical, plain, read_plan, read_study_manifest
from SegAnyPETLib.study.plan.plan import Manifest, Plan
from SegAnyPETLib.study.plan.schedule import Reading, read_schedule, write_schedule
from SegAnyPETLib.volume.atomic import replacing

PLAN = "plan.json"
MANIFEST = "manifest.json"
SCHEDULE = "schedule.csv"
SEAL = "study.json"
LOGS = "logs"
MASKS = "masks"
REPORT = "report"


@dataclass(frozen=True)
class Study:
    """A study as its folder holds it.

    Attributes:
        folder: where it lies.
        plan: what was planned.
        manifest: its cases; their paths are relative to `cases_folder`.
        readings: the schedule.
        cases_folder: where the manifest came from.
        plan_sha256: of plan, manifest and schedule; every log carries it.
    """

    folder: Path
    plan: Plan
    manifest: Manifest
    readings: tuple[Reading, ...]
    cases_folder: Path
    plan_sha256: str

    @property
    def logs(self) -> Path:
        """The folder of the readers' logs."""
        return self.folder / LOGS


def make_study(
    folder: Path, plan: Plan, manifest: Manifest, readings: Sequence[Reading], cases_folder: Path, power: str
) -> Study:
    """Write a study's folder.

    Args:
        folder: made if it does not exist.
        plan: what is planned.
        manifest: its cases.
        readings: the schedule.
        cases_folder: what the paths of the manifest are relative to.
        power: the statement about power, kept with the plan.

    Raises:
        InputError: a study lies there already: what is planned is not changed afterwards.
        SegAnyPETError: a file cannot be written.
    """
    if (folder / SEAL).exists():
        raise InputError(
            f"{folder.name} holds a study already; a plan is not changed afterwards, choose another folder"
        )
    for part in (folder, folder / LOGS, folder / MASKS):
        part.mkdir(parents=True, exist_ok=True)
    _write(plain(plan), folder / PLAN)
    _write(plain(manifest), folder / MANIFEST)
    write_schedule(readings, folder / SCHEDULE)
    sha = _sha256(plan, manifest, folder / SCHEDULE)
    seal = {"notice": NOTICE, "plan_sha256": sha, "power": power, "cases_folder": _from(folder, cases_folder)}
    _write(seal, folder / SEAL)
    return Study(folder, plan, manifest, tuple(readings), cases_folder, sha)


def open_study(folder: Path) -> Study:
    """Read a study's folder.

    Raises:
        InputError: there is no study, or its plan, manifest or schedule was changed after it was made.
    """
    try:
        seal = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        sha, cases_folder = seal["plan_sha256"], folder / seal["cases_folder"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder.name} holds no study; make one with: seganypet study plan") from error
    plan, manifest = read_plan(folder / PLAN), read_study_manifest(folder / MANIFEST)
    readings = read_schedule(folder / SCHEDULE)
    if _sha256(plan, manifest, folder / SCHEDULE) != sha:
        raise InputError(
            f"the plan, cases or schedule of {folder.name} were changed after the study was made; restore them"
        )
    return Study(folder, plan, manifest, readings, cases_folder, sha)


def power_statement(study: Study) -> str:
    """Return what was said about power when the study was planned."""
    return str(json.loads((study.folder / SEAL).read_text(encoding="utf-8"))["power"])


def _sha256(plan: Plan, manifest: Manifest, schedule: Path) -> str:
    return hashlib.sha256(b"\n".join([canonical(plan), canonical(manifest), schedule.read_bytes()])).hexdigest()


def _write(content: object, path: Path) -> None:
    with replacing(path, ".json") as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _from(folder: Path, target: Path) -> str:
    """Return the way from a folder to another, so that both can be moved together."""
    try:
        return Path(os.path.relpath(target.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return target.resolve().as_posix()
