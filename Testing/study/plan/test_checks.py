"""Designs that cannot answer their question are refused."""

from dataclasses import replace

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.plan.checks import check_study
from SegAnyPETLib.study.plan.plan import Arm, Design, Manifest, NonInferiority, Plan, StudyCase
from Testing.study.studies import ASSISTED, MANUAL, cases, crossover

PLAN = crossover()

REFUSED: dict[str, tuple[Plan, Manifest]] = {
    "no readers": (replace(PLAN, readers=()), cases(8)),
    "reader R1 occurs twice": (replace(PLAN, readers=("R1", "R1")), cases(8)),
    "case c01 occurs twice": (PLAN, Manifest((*cases(8).cases, StudyCase("c01", "x")))),
    "0 are marked": (replace(PLAN, arms=(ASSISTED, Arm("b", ("points",)))), cases(8)),
    "2 are marked": (replace(PLAN, arms=(MANUAL, replace(ASSISTED, reference=True))), cases(8)),
    "nothing to compare": (replace(PLAN, arms=(MANUAL, Arm("b", ("erase", "paint")))), cases(8)),
    "has no tools": (replace(PLAN, arms=(MANUAL, Arm("b", ()))), cases(8)),
    "compares two arms and the plan has 3": (replace(PLAN, arms=(MANUAL, ASSISTED, Arm("b", ("points",)))), cases(8)),
    "needs three arms": (replace(PLAN, design=Design("latin_square")), cases(8)),
    "5 cases cannot show": (PLAN, cases(5)),
    "at least 12": (replace(PLAN, design=Design("parallel")), cases(8)),
    "after 7 days readers remember": (replace(PLAN, design=Design(washout_days=7)), cases(8)),
    "measure learning": (PLAN, cases(8, training=0)),
    "set blinded": (replace(PLAN, blinded=False), cases(8)),
    "8 cases have none, c01": (replace(PLAN, quality=(NonInferiority("dice", 0.03),)), cases(8)),
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_design_that_cannot_answer_is_refused_with_what_to_change(message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_study(*REFUSED[message])


def test_a_sound_design_passes() -> None:
    check_study(PLAN, cases(8))


def test_robots_forget_and_need_no_training() -> None:
    check_study(replace(PLAN, design=Design(washout_days=0), simulated=True), cases(8, training=0))
