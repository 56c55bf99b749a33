"""Working time from events whose clocks are known."""

import math

import pytest

from SegAnyPETLib.study.times.reading_time import ReadingTime, reading_times
from Testing.study.logs import Tape


def tape() -> Tape:
    """A reading that was opened at 0 s."""
    return Tape().then(0, "case_opened", case="c1", arm="assisted", period=1, position=1, training=False)


def finished(events: Tape, after_s: float = 0) -> ReadingTime:
    (time,) = reading_times(events.then(after_s, "case_finished", case="c1", mask_sha256="cd" * 32).events, 30)
    return time


def test_gaps_between_acts_are_added_up() -> None:
    time = finished(tape().then(5, "view_moved", view="axial").then(7, "view_moved", view="axial"), 3)
    assert (time.working_s, time.acting_s, time.idle_s) == (15, 15, 0)
    assert time.problems == ()


def test_a_long_gap_counts_up_to_the_threshold_and_the_rest_is_idle() -> None:
    time = finished(tape().then(100, "view_moved", view="axial"))
    assert (time.acting_s, time.idle_s) == (30, 70)


@pytest.mark.parametrize(("idle_s", "acting_s"), [(10, 10), (60, 60), (math.inf, 100)])
def test_the_threshold_may_be_another(idle_s: float, acting_s: float) -> None:
    (time,) = reading_times(tape().then(100, "case_finished", case="c1", mask_sha256="cd" * 32).events, idle_s)
    assert time.acting_s == acting_s


def test_waiting_for_the_model_is_work_of_its_own_and_is_never_idle() -> None:
    events = tape().then(2, "model_asked", request=1).then(45, "model_answered", request=1, latency_ms=44_000)
    time = finished(events, 3)
    assert (time.acting_s, time.waiting_s, time.working_s, time.idle_s) == (5, 45, 50, 0)


def test_a_question_that_is_never_answered_is_no_waiting() -> None:
    time = finished(tape().then(2, "model_asked", request=1), 100)
    assert (time.acting_s, time.waiting_s, time.idle_s) == (32, 0, 70)


def test_an_absence_is_told() -> None:
    assert finished(tape().then(3600, "view_moved", view="axial")).notes[0].startswith("nothing happened for 60 min")


def test_pauses_and_other_windows_count_for_nothing() -> None:
    events = tape().then(2, "paused").then(500, "unpaused").then(3, "focus_lost").then(20, "focus_gained")
    time = finished(events, 4)
    assert (time.acting_s, time.paused_s, time.away_s) == (9, 500, 20)


def test_first_mask_and_editing_are_told_apart() -> None:
    events = tape().then(8, "model_asked", request=1).then(1, "model_answered", request=1, latency_ms=1000)
    time = finished(events.then(6, "stroke", target="L1", effect="paint"), 2)
    assert (time.first_mask_s, time.editing_s, time.interactions) == (9, 8, 1)


def test_time_and_acts_are_those_of_the_target_that_is_worked_on() -> None:
    events = tape().then(4, "target_begun", target="L1").then(3, "stroke", target="L1", effect="paint")
    events.then(2, "target_finished", target="L1", mask_sha256="cd" * 32, volume_ml=3.0)
    events.then(10, "target_begun", target="L2")
    events.then(6, "target_finished", target="L2", mask_sha256="ce" * 32, volume_ml=1.0)
    time = finished(events)
    assert [(t.target, t.working_s, t.interactions, t.volume_ml) for t in time.targets] == [
        ("L1", 5, 1, 3.0),
        ("L2", 6, 0, 1.0),
    ]
    assert time.working_s == 25  # looking for the targets is work of the case


def test_time_is_told_by_tool() -> None:
    events = tape().then(4, "effect_active", effect="paint").then(6, "effect_active", effect="erase")
    assert finished(events, 1).by_effect == {"": 4, "paint": 6, "erase": 1}


@pytest.mark.parametrize(
    ("wall_s", "told"), [(3605, "slept or its clock was set forward by 3600 s"), (-595, "clock was set back by 600 s")]
)
def test_a_gap_over_which_the_clocks_disagree_is_told_and_counts_for_nothing(wall_s: float, told: str) -> None:
    time = finished(tape().then(5, "view_moved", wall_s=wall_s, view="axial"), 2)
    assert (time.acting_s, time.doubtful_s) == (2, 5)
    assert told in time.notes[0]


def test_a_reading_without_an_end_is_a_problem() -> None:
    (time,) = reading_times(tape().then(5, "view_moved", view="axial").events, 30)
    assert time.problems == ("was begun and not finished",)


def test_a_reading_that_was_finished_twice_is_a_problem() -> None:
    events = tape().then(5, "case_finished", case="c1", mask_sha256="cd" * 32)
    events.then(1, "case_opened", case="c1", arm="assisted", period=1, position=1, training=False)
    events.then(5, "case_finished", case="c1", mask_sha256="cd" * 32)
    assert [time.problems for time in reading_times(events.events, 30)] == [("was finished twice",)] * 2


def test_a_target_without_an_end_is_a_problem() -> None:
    assert finished(tape().then(1, "target_begun", target="L1")).problems == ("target L1 was begun and not finished",)


def test_a_crash_amid_a_reading_costs_the_time_between_and_no_more() -> None:
    events = tape().then(5, "view_moved", view="axial")
    events.new_run(wall_s=9000).then(0, "resumed", crashed=True, torn_bytes=0)
    events.then(4, "case_opened", case="c1", arm="assisted", period=1, position=1, training=False)
    time = finished(events.then(3, "view_moved", view="axial"), 2)
    assert time.working_s == 10
    assert time.problems == ()
    assert time.notes == ("the program ended or crashed amid the reading",)
