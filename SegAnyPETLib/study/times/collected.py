"""The readings of a study: those that were planned against those in the logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from SegAnyPETLib.study.log.check import CheckedLog
from SegAnyPETLib.study.plan.schedule import Reading
from SegAnyPETLib.study.times.reading_time import ReadingTime, reading_times

Place = tuple[str, int, int]


@dataclass(frozen=True)
class Timed:
    """A planned reading that was done.

    Attributes:
        planned: as the schedule has it.
        time: as the log has it.
    """

    planned: Reading
    time: ReadingTime


@dataclass(frozen=True)
class Left:
    """A planned reading without a time that can be analysed, or a reading that nobody planned.

    Attributes:
        reader: code.
        case: code.
        arm: code.
        period: from 1.
        why: in words.
    """

    reader: str
    case: str
    arm: str
    period: int
    why: str


@dataclass(frozen=True)
class Collected:
    """What a study has to analyse.

    Attributes:
        planned: number of readings in the schedule, training left out.
        timed: those with a time.
        left: those without one, each with the reason, and what nobody planned.
        notes: of readings that are analysed all the same.
    """

    planned: int
    timed: tuple[Timed, ...]
    left: tuple[Left, ...]
    notes: tuple[str, ...]


def collect(schedule: Sequence[Reading], logs: Sequence[CheckedLog], plan_sha256: str, idle_s: float) -> Collected:
    """Compare a schedule with the logs; nothing is dropped without a reason.

    Args:
        schedule: of the study.
        logs: of its readers; one with a fault, or of another plan, gives no times.
        plan_sha256: of the study.
        idle_s: threshold of idle time.
    """
    planned = [reading for reading in schedule if not reading.training]
    found, excluded = _times(logs, plan_sha256, idle_s)
    timed: list[Timed] = []
    left: list[Left] = []
    notes: list[str] = []
    for reading in planned:
        times = found.pop((reading.reader, reading.period, reading.position), [])
        why = _why_not(reading, times) if times else excluded.get(reading.reader, "was not read")
        if why:
            left.append(Left(reading.reader, reading.case, reading.arm, reading.period, why))
            continue
        time = next(time for time in times if not time.problems)
        timed.append(Timed(reading, time))
        notes += [f"{reading.reader}, {reading.case}, {reading.arm}: {note}" for note in time.notes]
    strangers = [time for times in found.values() for time in times if not time.training]
    left += [Left(t.reader, t.case, t.arm, t.period, "was read and is not in the schedule") for t in strangers]
    return Collected(len(planned), tuple(timed), tuple(left), tuple(notes))


def _times(
    logs: Sequence[CheckedLog], plan_sha256: str, idle_s: float
) -> tuple[dict[Place, list[ReadingTime]], dict[str, str]]:
    """Return the times by reader, period and position, and why a reader has none."""
    found: dict[Place, list[ReadingTime]] = {}
    excluded: dict[str, str] = {}
    for log in logs:
        if not log.sound:
            excluded[log.path.stem] = "the log was changed: " + log.faults[0]
        elif log.events and log.events[0].data["plan_sha256"] != plan_sha256:
            excluded[log.path.stem] = "the log belongs to another plan"
        else:
            for time in reading_times(log.events, idle_s):
                found.setdefault((time.reader, time.period, time.position), []).append(time)
    return found, excluded


def _why_not(planned: Reading, times: Sequence[ReadingTime]) -> str:
    """Say why a reading must not be analysed; "" if it may."""
    good = [time for time in times if not time.problems]
    if not good:
        return times[-1].problems[0]
    if (good[0].case, good[0].arm) != (planned.case, planned.arm):
        return f"{good[0].case} was read with {good[0].arm} instead"
    return ""
