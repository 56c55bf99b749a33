"""Who reads what when is balanced and drawn by lot."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from SegAnyPETLib.study.plan.plan import Arm, Design
from SegAnyPETLib.study.plan.schedule import orders, read_schedule, schedule, write_schedule
from Testing.study.studies import cases, crossover

THIRD = Arm("points_only", ("points",), "lite")


def test_every_reader_reads_every_case_once_in_each_arm() -> None:
    read = Counter((r.reader, r.case, r.arm) for r in schedule(crossover(), cases(8)) if not r.training)
    assert len(read) == 2 * 8 * 2
    assert set(read.values()) == {1}


def test_half_of_a_reader_s_cases_begin_with_either_arm() -> None:
    first = [r for r in schedule(crossover(), cases(8)) if r.period == 1 and not r.training]
    assert Counter((r.reader, r.arm) for r in first) == {
        (n, a): 4 for n in ("R1", "R2") for a in ("manual", "assisted")
    }


def test_a_wash_out_lies_between_the_last_case_of_a_period_and_the_next_one() -> None:
    readings = [
        r for r in schedule(crossover(design=Design(washout_days=21, cases_per_day=4)), cases(8)) if r.reader == "R1"
    ]
    last = max(r.day for r in readings if r.period == 1)
    assert last == 3  # two trainings and eight cases, four a day
    assert min(r.day for r in readings if r.period == 2) == last + 22


def test_training_cases_come_first_in_every_arm() -> None:
    readings = [r for r in schedule(crossover(), cases(6)) if (r.reader, r.period) == ("R1", 1)]
    assert [(r.case, r.arm) for r in readings if r.training] == [("t1", "manual"), ("t1", "assisted")]
    assert [r.training for r in readings] == [True] * 2 + [False] * 6


def test_equal_seeds_give_equal_schedules_and_others_other_ones() -> None:
    assert schedule(crossover(), cases(8)) == schedule(crossover(), cases(8))
    assert schedule(crossover(), cases(8)) != schedule(replace(crossover(), seed=8), cases(8))


@pytest.mark.parametrize("count", [3, 4])
def test_in_a_williams_square_every_arm_follows_every_other_equally_often(count: int) -> None:
    arms = tuple(Arm(f"a{n}", (f"t{n}",), reference=n == 0) for n in range(count))
    rows = orders(replace(crossover(), arms=arms, design=Design("latin_square")))
    after = Counter(pair for row in rows for pair in pairwise(row))
    assert len(after) == count * (count - 1)
    assert len(set(after.values())) == 1
    for place in range(count):
        assert set(Counter(row[place] for row in rows).values()) == {len(rows) // count}


def test_parallel_groups_read_every_case_once() -> None:
    readings = [r for r in schedule(crossover(design=Design("parallel")), cases(12)) if not r.training]
    assert Counter((r.reader, r.arm) for r in readings) == {
        (n, a): 6 for n in ("R1", "R2") for a in ("manual", "assisted")
    }
    assert len({(r.reader, r.case) for r in readings}) == 24


def test_a_schedule_is_read_as_it_was_written(tmp_path: Path) -> None:
    readings = schedule(crossover(), cases(6))
    write_schedule(readings, tmp_path / "schedule.csv")
    assert read_schedule(tmp_path / "schedule.csv") == readings
