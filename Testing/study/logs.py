"""Logs for the tests."""

from pathlib import Path

from SegAnyPETLib.study.log.event import Event
from SegAnyPETLib.study.log.kinds import check_event
from SegAnyPETLib.study.log.writer import EventLog

PLAN_SHA256 = "ab" * 32
MASK_SHA256 = "cd" * 32


def write_readings(path: Path, cases: int) -> Path:
    """A log of so many finished cases of one target."""
    with EventLog(path, PLAN_SHA256, "1") as log:
        for number in range(cases):
            log.add("case_opened", case=f"c{number}", arm="assisted", period=1, position=number + 1, training=False)
            log.add("target_begun", target="L1")
            log.add("point_placed", target="L1", point_ras=[1.0, 2.0, 3.0], positive=True)
            log.add("model_asked", request=number)
            log.add("model_answered", request=number, latency_ms=12.5)
            log.add("target_finished", target="L1", mask_sha256=MASK_SHA256, volume_ml=3.5)
            log.add("case_finished", case=f"c{number}", mask_sha256=MASK_SHA256)
    return path


class Tape:
    """Events of one log whose clocks are chosen."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._run, self._mono_s, self._wall_s = "run0", 1000.0, 1_700_000_000.0

    def then(self, after_s: float, kind: str, wall_s: float | None = None, **data: object) -> "Tape":
        """Add an event so much later; ``wall_s`` if the wall clock advances by something else."""
        check_event(kind, data)
        self._mono_s += after_s
        self._wall_s += after_s if wall_s is None else wall_s
        clocks = (round(self._wall_s * 1000), round(self._mono_s * 1000))
        self.events.append(Event(len(self.events), "log", self._run, "R1", kind, *clocks, data))
        return self

    def new_run(self, wall_s: float) -> "Tape":
        """Start the program anew, with another monotonic clock."""
        self._run, self._mono_s, self._wall_s = f"{self._run}+", 5.0, self._wall_s + wall_s
        return self
