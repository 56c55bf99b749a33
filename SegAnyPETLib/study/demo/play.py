"""A whole study without readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from SegAnyPETLib import __version__
from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.simulation.phantom import make_phantom
from SegAnyPETLib.study.demo.pace import Pace, Timer
from SegAnyPETLib.study.demo.robot_reader import RobotReader, Scan
from SegAnyPETLib.study.log.clock import PlayedClock
from SegAnyPETLib.study.log.writer import EventLog
from SegAnyPETLib.study.plan.checks import check_study
from SegAnyPETLib.study.plan.folder import Study, make_study
from SegAnyPETLib.study.plan.plan import Arm, Design, Expected, Manifest, NonInferiority, Plan, StudyCase
from SegAnyPETLib.study.plan.power import check_power
from SegAnyPETLib.study.plan.schedule import Reading, schedule
from SegAnyPETLib.volume.io import write_volume

#: Codes of the robots, and how much longer than the median each takes.
READERS = {"RobotA": 1.0, "RobotB": 1.3}
#: Monday, 5 January 2026, 08:00 UTC: when the simulated readers begin.
BEGIN_MS = 1_767_600_000_000
DAY_MS = 86_400_000
CASES = "cases"

Progress = Callable[[int, int], None]


def demo_plan(model: str, seed: int) -> Plan:
    """Return the plan of the demonstration."""
    return Plan(
        name="demo",
        readers=tuple(READERS),
        arms=(
            Arm("manual", ("paint", "erase"), reference=True),
            Arm("assisted", ("points", "paint", "erase"), model),
        ),
        seed=seed,
        design=Design("crossover", washout_days=21),
        expected=Expected(saving=0.5),
        quality=(NonInferiority("dice", 0.03), NonInferiority("volume_ml", 0.15)),
        simulated=True,
    )


def play(
    folder: Path,
    backend: Backend,
    cases: int,
    lesions: int,
    seed: int,
    model: str = "model",
    progress: Progress = lambda done, whole: None,
) -> Study:
    """Make phantoms and a study of them, and let two robots read it.

    Args:
        folder: of the study; the phantoms lie in ``cases`` inside.
        backend: runs the model.
        cases: number of phantoms.
        lesions: in each; fewer where there is no room.
        seed: of everything random.
        model: code of the model, for the plan.
        progress: called with the readings that are done, and their number.

    Raises:
        InputError: there are too few cases, or the folder holds a study already.
        SegAnyPETError: a file cannot be written.
    """
    scans = _scans(folder / CASES, cases, lesions, seed)
    manifest = Manifest(
        tuple(
            StudyCase(name, f"{name}.nii.gz", scan.targets, f"{name}_reference.nii.gz") for name, scan in scans.items()
        )
    )
    plan = demo_plan(model, seed)
    check_study(plan, manifest)
    power = check_power(plan, manifest)
    readings = schedule(plan, manifest)
    study = make_study(folder, plan, manifest, readings, folder / CASES, str(power))
    done = 0
    for number, (reader, factor) in enumerate(READERS.items()):
        timer = Timer(Pace(), factor, np.random.default_rng([seed, 2, number]))
        for period in sorted({reading.period for reading in readings}):
            mine = [reading for reading in readings if (reading.reader, reading.period) == (reader, period)]
            _read(study, mine, scans, backend, timer, (seed, 3, number))
            done += len(mine)
            progress(done, len(readings))
    return study


def _scans(folder: Path, cases: int, lesions: int, seed: int) -> dict[str, Scan]:
    """Make the phantoms and write them."""
    if folder.exists():
        raise InputError(f"{folder.parent.name} holds cases already; choose another folder")
    folder.mkdir(parents=True)
    scans = {}
    for number in range(cases):
        phantom = make_phantom(seed + 1000 * (number + 1), lesions=lesions)
        name = f"phantom{number + 1:02}"
        scan = Scan(phantom.image, phantom.lesions, tuple(f"L{truth.label}" for truth in phantom.truth))
        write_volume(scan.image, folder / f"{name}.nii.gz")
        write_volume(scan.references, folder / f"{name}_reference.nii.gz")
        scans[name] = scan
    return scans


def _read(
    study: Study,
    readings: list[Reading],
    scans: dict[str, Scan],
    backend: Backend,
    timer: Timer,
    seed: tuple[int, ...],
) -> None:
    """Read one period."""
    clock = PlayedClock(BEGIN_MS + (readings[0].day - 1) * DAY_MS)
    models = {arm.name: backend if arm.model else None for arm in study.plan.arms}
    path = study.logs / f"{readings[0].reader}.jsonl"
    with EventLog(path, study.plan_sha256, f"simulated-{__version__}", clock) as log:
        robot = RobotReader(study, log, clock, timer, seed)
        for reading in readings:
            robot.read(reading, scans[reading.case], models[reading.arm])
