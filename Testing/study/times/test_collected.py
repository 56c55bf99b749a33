"""No planned reading is lost without a word."""

from pathlib import Path

import pytest

from SegAnyPETLib.study.log.check import CheckedLog
from SegAnyPETLib.study.plan.schedule import Reading
from SegAnyPETLib.study.times.collected import collect
from Testing.study.logs import PLAN_SHA256, Tape

SCHEDULE = (
    Reading("R1", 1, 1, 1, "c1", "assisted", "assisted>manual"),
    Reading("R1", 1, 1, 2, "c2", "manual", "manual>assisted"),
    Reading("R1", 1, 1, 3, "c3", "assisted", "assisted>manual"),
)


def log(*readings: tuple[str, str, int], faults: tuple[str, ...] = (), plan_sha256: str = PLAN_SHA256) -> CheckedLog:
    """A log of readings as (case, arm, position), each of 5 s."""
    tape = Tape().then(0, "log_opened", plan_sha256=plan_sha256, software="1")
    for case, arm, position in readings:
        tape.then(0, "case_opened", case=case, arm=arm, period=1, position=position, training=False)
        tape.then(5, "case_finished", case=case, mask_sha256="cd" * 32)
    return CheckedLog(Path("R1.jsonl"), tuple(tape.events), faults, (), 0, "")


def test_what_was_read_as_planned_has_a_time() -> None:
    found = collect(SCHEDULE, [log(("c1", "assisted", 1), ("c2", "manual", 2), ("c3", "assisted", 3))], PLAN_SHA256, 30)
    assert [(t.planned.case, t.time.working_s) for t in found.timed] == [("c1", 5), ("c2", 5), ("c3", 5)]
    assert (found.planned, found.left) == (3, ())


@pytest.mark.parametrize(
    ("logs", "why"),
    [
        ([log(("c1", "assisted", 1))], "was not read"),
        (
            [log(("c1", "assisted", 1), ("c2", "assisted", 2), ("c3", "assisted", 3))],
            "c2 was read with assisted instead",
        ),
        ([log(("c1", "assisted", 1), ("c2", "manual", 2), faults=("edited",))], "the log was changed: edited"),
        ([log(("c2", "manual", 2), plan_sha256="00" * 32)], "the log belongs to another plan"),
        ([log(("c2", "manual", 2), ("c2", "manual", 2))], "was finished twice"),
        ([], "was not read"),
    ],
)
def test_what_has_no_time_has_a_reason(logs: list[CheckedLog], why: str) -> None:
    found = collect(SCHEDULE, logs, PLAN_SHA256, 30)
    assert why in {left.why for left in found.left if left.case == "c2"}
    assert len(found.timed) + len(found.left) == 3


def test_what_nobody_planned_is_told() -> None:
    found = collect(SCHEDULE, [log(("c9", "manual", 9))], PLAN_SHA256, 30)
    assert [left.why for left in found.left if left.case == "c9"] == ["was read and is not in the schedule"]
