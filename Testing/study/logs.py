"""Logs for the tests."""

from pathlib import Path

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
