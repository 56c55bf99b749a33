"""What the statistics are computed from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from SegAnyPETLib.study.times.collected import Collected


@dataclass(frozen=True)
class TimeRow:
    """The working time of one reading.

    Attributes:
        reader: code.
        case: code.
        arm: code.
        period: from 1.
        position: within the period, from 1.
        order: arms of this reader and case over the periods.
        seconds: working time, above 0.
    """

    reader: str
    case: str
    arm: str
    period: int
    position: int
    order: str
    seconds: float

    @property
    def log_seconds(self) -> float:
        """Its natural logarithm: times are log-normal."""
        return math.log(self.seconds)


def time_rows(collected: Collected, with_waiting: bool = True) -> tuple[TimeRow, ...]:
    """Return the working times of a study.

    Args:
        collected: the readings.
        with_waiting: whether waiting for the model is work, as in the main analysis.
    """
    return tuple(
        TimeRow(
            one.planned.reader,
            one.planned.case,
            one.planned.arm,
            one.planned.period,
            one.planned.position,
            one.planned.order,
            one.time.working_s if with_waiting else one.time.acting_s,
        )
        for one in collected.timed
        if one.time.acting_s > 0
    )


def paired_log_ratios(rows: Sequence[TimeRow], reference: str, arm: str, reader: str = "") -> dict[str, float]:
    """Return for each case the logarithm of the time in one arm over that in the reference arm.

    Args:
        rows: the readings.
        reference: the reference arm.
        arm: the other one.
        reader: only this one's; "" for the mean over the readers who read the case in both arms.

    Returns:
        By case; a case without a reader who read it in both arms is left out.
    """
    logs = {(row.case, row.reader, row.arm): row.log_seconds for row in rows}
    ratios: dict[str, list[float]] = {}
    for case, who, which in logs:
        if which == arm and reader in ("", who) and (case, who, reference) in logs:
            ratios.setdefault(case, []).append(logs[case, who, arm] - logs[case, who, reference])
    return {case: math.fsum(found) / len(found) for case, found in sorted(ratios.items())}
