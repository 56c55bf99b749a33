"""A small study that was read, with logs and masks."""

from pathlib import Path

import numpy as np

from SegAnyPETLib.study.log.clock import PlayedClock
from SegAnyPETLib.study.log.writer import EventLog
from SegAnyPETLib.study.masks import write_case_mask
from SegAnyPETLib.study.plan.folder import Study, make_study
from SegAnyPETLib.study.plan.plan import Manifest, NonInferiority, Plan, StudyCase
from SegAnyPETLib.study.plan.schedule import Reading, schedule
from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.volume import Volume
from Testing.study.simulated import simulated
from Testing.study.studies import crossover

MATRIX = np.diag([4.0, 4.0, 4.0, 1.0])
SAVING = {"R1": 0.8237, "R2": 0.8295}


def lesion(radius: int) -> np.ndarray:
    """A cube of so many voxels from its middle."""
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[6 - radius : 6 + radius, 6 - radius : 6 + radius, 6 - radius : 6 + radius] = 1
    return mask


def played(folder: Path, count: int = 8, plan: Plan | None = None, skip: frozenset[int] = frozenset()) -> Study:
    """A crossover that two readers read; savings are `SAVING`, masks those of the reference but for a voxel.

    Args:
        folder: of scans and study.
        count: of analysed cases.
        plan: another plan.
        skip: numbers of readings in the schedule that are not read.
    """
    plan = plan or crossover(quality=(NonInferiority("dice", 0.03), NonInferiority("volume_ml", 0.1)))
    cases = []
    for n in range(count):
        labels = lesion(2 + n % 3)
        write_volume(Volume(1 + 7 * labels.astype(np.float32), MATRIX), folder / f"c{n}.nii.gz")
        write_volume(Volume(labels, MATRIX), folder / f"c{n}_reference.nii.gz")
        cases.append(StudyCase(f"c{n}", f"c{n}.nii.gz", ("L1",), f"c{n}_reference.nii.gz"))
    manifest = Manifest((*cases, StudyCase("t1", "c0.nii.gz", training=True)))
    readings = schedule(plan, manifest)
    study = make_study(folder / "trial", plan, manifest, readings, folder, "it had the power that was asked for")
    seconds = {(r.reader, r.case, r.arm): r.seconds for r in simulated(plan, manifest, SAVING, seed=5)}
    for reader in plan.readers:
        clock = PlayedClock(1_700_000_000_000)
        with EventLog(study.logs / f"{reader}.jsonl", study.plan_sha256, "1", clock) as log:
            for number, reading in enumerate(readings):
                if reading.reader == reader and number not in skip:
                    _read(study, reading, seconds.get((reader, reading.case, reading.arm), 60.0), log, clock)
    return study


def _read(study: Study, reading: Reading, seconds: float, log: EventLog, clock: PlayedClock) -> None:
    """Read a case: an act every ten seconds."""
    log.add(
        "case_opened",
        case=reading.case,
        arm=reading.arm,
        period=reading.period,
        position=reading.position,
        training=reading.training,
    )
    log.add("target_begun", target="L1")
    for _ in range(int(seconds // 10)):
        clock.pass_by(10)
        log.add("stroke", target="L1", effect="paint")
    clock.pass_by(seconds % 10)
    labels = lesion(2 + int(reading.case[1:]) % 3)
    rng = np.random.default_rng([int(reading.case[1:]), reading.reader == "R1", reading.arm == "manual"])
    labels[0, 0, : rng.integers(3)] = 1
    sha256 = write_case_mask(study, reading.reader, reading.arm, reading.case, Volume(labels, MATRIX))
    log.add("target_finished", target="L1", mask_sha256=sha256, volume_ml=float(labels.sum()) * 0.064)
    log.add("case_finished", case=reading.case, mask_sha256=sha256)
