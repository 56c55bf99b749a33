"""Writing a log, and going on with it after a crash."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.study.log.check import check_log
from SegAnyPETLib.study.log.progress import progress
from SegAnyPETLib.study.log.writer import EventLog
from SegAnyPETLib.study.times.reading_time import reading_times
from Testing.study.logs import PLAN_SHA256, write_readings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "R1.jsonl"


def test_events_carry_both_clocks_and_their_number(path: Path) -> None:
    before = time.time_ns() // 1_000_000
    with EventLog(path, PLAN_SHA256, "1") as log:
        log.add("paused")
        time.sleep(0.05)
        log.add("unpaused")
    events = check_log(path).events
    assert [event.number for event in events] == [0, 1, 2, 3]
    assert events[2].mono_ms - events[1].mono_ms == pytest.approx(50, abs=40)
    assert before <= events[1].wall_ms <= time.time_ns() // 1_000_000


def test_what_is_synced_is_on_the_disk_before_the_log_is_closed(path: Path) -> None:
    log = EventLog(path, PLAN_SHA256, "1")
    log.add("paused")
    log.sync()
    checked = check_log(path)
    assert [event.kind for event in checked.events] == ["log_opened", "paused"]
    assert checked.sound
    assert checked.notes == ("R1.jsonl: was not closed",)
    log.close()


def test_a_second_window_of_the_same_reader_is_refused(path: Path) -> None:
    with EventLog(path, PLAN_SHA256, "1"), pytest.raises(InputError, match="R1 is signed in elsewhere"):
        EventLog(path, PLAN_SHA256, "1")


def test_a_log_goes_on_where_it_was_closed(path: Path) -> None:
    write_readings(path, 1)
    with EventLog(path, PLAN_SHA256, "1"):
        pass
    checked = check_log(path)
    assert checked.sound
    assert [event.kind for event in checked.events][-3:] == ["log_closed", "resumed", "log_closed"]
    assert checked.events[-2].data == {"crashed": False, "torn_bytes": 0}
    assert len({event.run for event in checked.events}) == 2


def test_a_line_that_a_crash_tore_is_cut_off_and_told(path: Path) -> None:
    write_readings(path, 1)
    with path.open("ab") as file:
        file.write(b'{"v":1,"n":9')
    assert check_log(path).sound
    with EventLog(path, PLAN_SHA256, "1"):
        pass
    checked = check_log(path)
    assert checked.sound
    assert next(event for event in checked.events if event.kind == "resumed").data["torn_bytes"] == 12


def test_the_log_of_another_plan_is_refused(path: Path) -> None:
    write_readings(path, 1)
    with pytest.raises(InputError, match="belongs to another plan"):
        EventLog(path, "00" * 32, "1")


def test_a_name_is_no_code_of_a_reader(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no name"):
        EventLog(tmp_path / "Dr. Smith.jsonl", PLAN_SHA256, "1")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_disk_that_refuses_is_told_at_the_next_event(path: Path) -> None:
    log = EventLog(path, PLAN_SHA256, "1")
    log._file.close()
    log._file = Path("/dev/full").open("ab")  # noqa: SIM115
    log.add("paused")
    with pytest.raises(SegAnyPETError, match="stop reading"):
        log.sync()
    with pytest.raises(SegAnyPETError, match="stop reading"):
        log.add("unpaused")


ROBOT = """
import itertools, sys, time
from pathlib import Path
from SegAnyPETLib.study.log.writer import EventLog
log = EventLog(Path(sys.argv[1]), "ab" * 32, "1")
begun = time.monotonic()
log.add("case_opened", case="c1", arm="manual", period=1, position=1, training=False)
log.sync()
print("synced", log._number, 0, flush=True)
for number in itertools.count():
    log.add("view_moved", view="axial")
    if number % 3 == 0:
        log.sync()
        print("synced", log._number, time.monotonic() - begun, flush=True)
"""


@pytest.mark.slow
def test_a_process_killed_at_fifty_moments_loses_nothing_that_was_on_the_disk(path: Path) -> None:
    rng = random.Random(0)
    synced, worked_s = 0, 0.0
    for _ in range(50):
        robot = subprocess.Popen([sys.executable, "-c", ROBOT, str(path)], stdout=subprocess.PIPE, text=True)
        assert robot.stdout is not None
        first = robot.stdout.readline()
        time.sleep(rng.uniform(0, 0.03))
        robot.kill()
        told = [first, *robot.stdout.read().splitlines()]
        robot.wait()
        _, count, seconds = next(line for line in reversed(told) if line.count(" ") == 2).split()
        before, synced, worked_s = synced, int(count), worked_s + float(seconds)
        checked = check_log(path)
        assert checked.sound, checked.faults
        assert len(checked.events) >= synced > before
    runs = {event.run for event in checked.events}
    assert len(runs) == 50
    assert sum(event.kind == "resumed" for event in checked.events) == 49
    (reading,) = reading_times(checked.events, 30)
    assert reading.problems == ("was begun and not finished",)
    assert reading.working_s == pytest.approx(worked_s, abs=0.1 * 50)


def test_progress_knows_what_is_finished_and_what_was_left_open(path: Path) -> None:
    write_readings(path, 2)
    with EventLog(path, PLAN_SHA256, "1") as log:
        log.add("case_opened", case="c3", arm="manual", period=1, position=3, training=False)
        log.add("target_begun", target="L1")
        log.add("target_finished", target="L1", mask_sha256="cd" * 32, volume_ml=1.0)
    now = progress(check_log(path).events)
    assert now.finished == {(1, 1), (1, 2)}
    assert (now.open, now.targets) == ((1, 3), ("L1",))
