"""Waiting in the event loop, and the heartbeat that finds calls which hold it up."""

import time

import pytest


def test_waiting_lets_timers_run(slicer_harness) -> None:
    import qt

    from Testing.slicer_harness.event_loop import wait_until

    heard = []
    qt.QTimer.singleShot(20, lambda: heard.append(1))
    wait_until(lambda: heard)
    with pytest.raises(TimeoutError):
        wait_until(lambda: False, timeout_s=0.02)


def test_a_call_that_holds_the_loop_up_is_found(slicer_harness) -> None:
    import qt

    from Testing.slicer_harness.event_loop import Heartbeat

    with Heartbeat() as heart:
        qt.QTimer.singleShot(10, lambda: time.sleep(0.2))
        qt.QTest.qWait(50)
    assert heart.longest_gap_s >= 0.2
