"""Working time of each reading and target."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from SegAnyPETLib.study.log.event import Event
from SegAnyPETLib.study.log.kinds import INTERACTIONS
from SegAnyPETLib.study.times.gaps import Gap, gaps

#: Thresholds of idle time for which times are told beside the plan's own.
SENSITIVITY_S = (10.0, 30.0, 60.0, 120.0, math.inf)

#: A gap so long is told: someone left, or a machine slept whose monotonic clock went on.
TOLD_GAP_S = 600.0

#: What shows that there is a mask.
_MASK_EVENTS = ("model_answered", "stroke")


@dataclass(frozen=True)
class TargetTime:
    """Work on one target.

    Attributes:
        target: code.
        acting_s: time of acting and looking, idle time cut off.
        waiting_s: time of waiting for the model.
        interactions: acts on the target.
        volume_ml: of its mask when it was finished; NaN if it was not.
        mask_sha256: of its mask; "" if it was not finished.
    """

    target: str
    acting_s: float
    waiting_s: float
    interactions: int
    volume_ml: float
    mask_sha256: str

    @property
    def working_s(self) -> float:
        """Acting and waiting."""
        return self.acting_s + self.waiting_s


@dataclass(frozen=True)
class ReadingTime:
    """Work on one case.

    Attributes:
        reader: code.
        case: code.
        arm: code.
        period: from 1.
        position: within the period, from 1.
        training: whether it is not analysed.
        acting_s: time of acting and looking; each gap between two events counts up to the idle threshold.
        waiting_s: time of waiting for the model.
        idle_s: what was cut off from longer gaps.
        paused_s: time between *Pause* and *Start*.
        away_s: time in which another window had the focus.
        doubtful_s: time over which the clocks disagree; it counts nowhere else.
        first_mask_s: working time until there was a mask; NaN if there never was one.
        interactions: acts on targets.
        by_effect: working seconds by the tool that was active, "" if none was.
        targets: in the order in which they were begun.
        mask_sha256: of the case's result; "" if it was not finished.
        problems: why the reading must not be analysed; empty for most.
        notes: what should be known of it all the same.
    """

    reader: str
    case: str
    arm: str
    period: int
    position: int
    training: bool
    acting_s: float
    waiting_s: float
    idle_s: float
    paused_s: float
    away_s: float
    doubtful_s: float
    first_mask_s: float
    interactions: int
    by_effect: dict[str, float]
    targets: tuple[TargetTime, ...]
    mask_sha256: str
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def working_s(self) -> float:
        """Acting and waiting: what the main analysis compares."""
        return self.acting_s + self.waiting_s

    @property
    def editing_s(self) -> float:
        """Working time after the first mask; NaN if there never was one."""
        return self.working_s - self.first_mask_s


@dataclass
class _Target:
    acting_s: float = 0.0
    waiting_s: float = 0.0
    interactions: int = 0
    volume_ml: float = math.nan
    mask_sha256: str = ""


@dataclass
class _Reading:
    """A reading that is being added up."""

    opened: Event
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    by_effect: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    targets: dict[str, _Target] = field(default_factory=dict)
    now: str = ""
    effect: str = ""
    interactions: int = 0
    first_mask_s: float = math.nan
    mask_sha256: str = ""
    ended: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def place(self) -> tuple[int, int]:
        return self.opened.data["period"], self.opened.data["position"]

    def take(self, event: Event) -> None:
        """Take an event into account."""
        kind, data = event.kind, event.data
        if kind == "target_begun":
            self.now = data["target"]
            self.targets.setdefault(self.now, _Target())
        elif kind == "target_finished":
            target = self.targets.setdefault(data["target"], _Target())
            target.volume_ml, target.mask_sha256 = data["volume_ml"], data["mask_sha256"]
            self.now = ""
        elif kind == "effect_active":
            self.effect = data["effect"]
        elif kind in INTERACTIONS:
            self.interactions += 1
            self.targets.setdefault(data["target"], _Target()).interactions += 1
        if kind in _MASK_EVENTS and math.isnan(self.first_mask_s):
            self.first_mask_s = self.seconds["acting"] + self.seconds["waiting"]

    def spend(self, gap: Gap, idle_s: float) -> None:
        """Add a gap; idle time is what exceeds the threshold."""
        counted = min(gap.length_s, idle_s) if gap.kind == "acting" else gap.length_s
        self.seconds[gap.kind] += counted
        self.seconds["idle"] += gap.length_s - counted
        if gap.kind == "doubtful":
            what = (
                "the machine slept or its clock was set forward"
                if gap.clocks_differ_s > 0
                else "its clock was set back"
            )
            self.notes.append(f"{what} by {abs(gap.clocks_differ_s):.0f} s, and {gap.length_s:.1f} s count for nothing")
        if gap.kind == "acting" and gap.length_s > TOLD_GAP_S:
            self.notes.append(f"nothing happened for {gap.length_s / 60:.0f} min: the reader left or the machine slept")
        if gap.kind in ("acting", "waiting"):
            self.by_effect[self.effect] += counted
            if self.now:
                target = self.targets[self.now]
                target.acting_s += counted if gap.kind == "acting" else 0.0
                target.waiting_s += counted if gap.kind == "waiting" else 0.0


def reading_times(events: Sequence[Event], idle_s: float) -> tuple[ReadingTime, ...]:
    """Compute the times of all readings of a log.

    A reading that was left open by a crash or a closed program, and opened again, is one reading; the time between
    counts for nothing. What has no end, or two, has a problem and must not be analysed.

    Args:
        events: of one log, in their order.
        idle_s: gaps between two acts count up to this length.
    """
    readings: list[_Reading] = []
    now: _Reading | None = None
    before = {id(gap.after): gap for gap in gaps(events)}
    for event in events:
        gap = before.get(id(event))
        if now is not None and gap is not None:
            if gap.kind == "between_runs":
                now.notes.append("the program ended or crashed amid the reading")
            else:
                now.spend(gap, idle_s)
        if event.kind == "case_opened":
            last = readings[-1] if readings else None
            if last is not None and not last.ended and last.opened.data == event.data:
                now = last
            else:
                now = _Reading(event)
                readings.append(now)
        elif event.kind in ("log_closed", "resumed"):
            now = None
        elif now is not None:
            now.take(event)
            if event.kind in ("case_finished", "case_abandoned"):
                now.ended = event.kind
                now.mask_sha256 = event.data.get("mask_sha256", "")
                now = None
    finished = Counter(reading.place for reading in readings if reading.ended == "case_finished")
    return tuple(_result(reading, finished) for reading in readings)


def _result(reading: _Reading, finished: Counter[tuple[int, int]]) -> ReadingTime:
    opened, seconds = reading.opened, reading.seconds
    targets = tuple(
        TargetTime(name, t.acting_s, t.waiting_s, t.interactions, t.volume_ml, t.mask_sha256)
        for name, t in reading.targets.items()
    )
    return ReadingTime(
        opened.reader,
        opened.data["case"],
        opened.data["arm"],
        opened.data["period"],
        opened.data["position"],
        opened.data["training"],
        seconds["acting"],
        seconds["waiting"],
        seconds["idle"],
        seconds["paused"],
        seconds["away"],
        seconds["doubtful"],
        reading.first_mask_s,
        reading.interactions,
        dict(reading.by_effect),
        targets,
        reading.mask_sha256,
        tuple(_problems(reading, finished)),
        tuple(reading.notes),
    )


def _problems(reading: _Reading, finished: Counter[tuple[int, int]]) -> list[str]:
    problems = []
    if reading.ended == "case_abandoned":
        problems.append("was abandoned")
    elif not reading.ended:
        problems.append("was begun and not finished")
    if finished[reading.place] > 1:
        problems.append("was finished twice")
    unfinished = [name for name, target in reading.targets.items() if not target.mask_sha256]
    if reading.ended == "case_finished" and unfinished:
        problems.append(f"target {unfinished[0]} was begun and not finished")
    return problems
