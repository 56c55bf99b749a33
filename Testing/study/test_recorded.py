"""A session whose acts are logged."""

from pathlib import Path

import numpy as np
import pytest

from SegAnyPETLib.errors import BackendError
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.study.log.check import check_log
from SegAnyPETLib.study.log.clock import PlayedClock
from SegAnyPETLib.study.log.event import Event
from SegAnyPETLib.study.log.writer import EventLog
from SegAnyPETLib.study.recorded import RecordedSession
from SegAnyPETLib.volume.volume import Volume
from Testing.session.hot_backend import HotBackend
from Testing.study.logs import PLAN_SHA256


def acts(path: Path, fails: bool = False) -> tuple[RecordedSession, tuple[Event, ...]]:
    """A click, one more, undo and redo, two seconds of waiting each."""
    array = np.ones((12, 12, 12), np.float32)
    array[4:8, 4:8, 4:8] = 5
    backend = HotBackend()
    clock = PlayedClock(0)
    with EventLog(path, PLAN_SHA256, "1", clock) as log:
        session = InteractiveSession(Volume(array, np.eye(4)), backend)
        recorded = RecordedSession(session, log, "L1", 7, lambda seconds: clock.pass_by(2))
        if fails:
            backend.fail(1, BackendError("lost"))
            with pytest.raises(BackendError):
                recorded.add_point(Point((5, 5, 5), True))
        else:
            recorded.add_point(Point((5, 5, 5), True))
            recorded.add_point(Point((10, 10, 10), False))
            recorded.undo()
            recorded.redo()
    return recorded, check_log(path).events[1:-1]


def test_acts_and_questions_to_the_model_are_logged_apart(tmp_path: Path) -> None:
    recorded, events = acts(tmp_path / "R1.jsonl")
    click = ["point_placed", "model_asked", "model_answered"]
    assert [event.kind for event in events] == [*click, *click, "undo", "redo"]
    assert events[0].data == {"target": "L1", "point_ras": [5, 5, 5], "positive": True}
    assert events[2].data == {"request": 7, "latency_ms": 2000}
    assert recorded.next_request == 9
    assert recorded.mask_kji[5, 5, 5]


def test_a_model_that_fails_is_logged_and_the_error_passed_on(tmp_path: Path) -> None:
    _, events = acts(tmp_path / "R1.jsonl", fails=True)
    assert [event.kind for event in events] == ["point_placed", "model_asked", "model_failed"]
