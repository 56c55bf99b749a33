"""The order of the user's actions, with a runner that waits for the test."""

import sys

import pytest

from SegAnyPETLib.errors import Cancelled, OutOfMemory, SegAnyPETError
from Testing.module.conftest import MODULE


class HandRunner:
    """Runs the started function when the test says so."""

    def __init__(self) -> None:
        self._started = None

    @property
    def busy(self) -> bool:
        return self._started is not None

    def start(self, function, onDone, onError, onPoll) -> None:
        assert not self.busy
        self._started = function, onDone, onError

    def finish(self) -> None:
        (function, onDone, onError), self._started = self._started, None
        try:
            function()
        except SegAnyPETError as error:
            onError(error)
        else:
            onDone()

    def close(self) -> None:
        self._started = None


class FakeModel:
    """A model that starts at once."""

    def __init__(self, backend=None) -> None:
        self.backend = backend
        self.starts = 0
        self.cancelled = False

    def start(self) -> None:
        if self.cancelled:
            raise Cancelled
        self.starts += 1
        self.backend = "ready"

    def renew(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def close(self) -> None:
        self.backend = None


class Log:
    """Notes what the queue reports.

    Attributes:
        during_start: called while the start of the model is prepared, as by clicks while packages are installed.
    """

    def __init__(self) -> None:
        self.events = []
        self.during_start = lambda: None

    def onStarting(self) -> None:
        self.events.append("starting")
        self.during_start()

    def onStarted(self) -> None:
        self.events.append("started")

    def onBusy(self, job) -> None:
        pass

    def onPoll(self) -> None:
        pass

    def onFinished(self, job) -> None:
        self.events.append(f"finished {job.name}")

    def onFailed(self, error, job) -> None:
        self.events.append(f"failed: {error}")

    def onIdle(self) -> None:
        self.events.append("idle")


class NamedJob:
    """A job that fails as often as it is told to."""

    def __init__(self, name: str, failures: int = 0) -> None:
        self.name = name
        self.failures = failures
        self.stopped = False

    def run(self) -> None:
        if self.failures:
            self.failures -= 1
            raise OutOfMemory("too small")

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def parts(monkeypatch):
    """A queue with its runner, its model and the log of its reports."""
    monkeypatch.syspath_prepend(str(MODULE))
    before = set(sys.modules)
    from SegAnyPETPanel.actions.action_queue import ActionQueue

    runner, model, log = HandRunner(), FakeModel(), Log()
    yield ActionQueue(runner, model, log), runner, model, log
    for name in set(sys.modules) - before:
        if name.startswith("SegAnyPETPanel"):
            del sys.modules[name]


def test_the_model_is_started_before_the_first_action_that_needs_it(parts) -> None:
    queue, runner, model, log = parts
    queue.push(lambda: log.events.append("scene"), needsModel=False)
    assert (log.events, queue.idle) == (["scene", "idle"], True)
    queue.push(lambda: NamedJob("click"))
    assert runner.busy
    runner.finish()
    runner.finish()
    assert model.starts == 1
    assert log.events == ["scene", "idle", "starting", "started", "finished click", "idle"]


def test_what_is_repeated_comes_before_what_waits(parts) -> None:
    queue, runner, model, log = parts
    model.backend = "ready"
    first, second = NamedJob("first", failures=1), NamedJob("second")
    log.onFailed = lambda error, job: queue.repeat()
    queue.push(lambda: first)
    queue.push(lambda: second)
    for _ in range(3):
        runner.finish()
    assert log.events == ["finished first", "finished second", "idle"]


def test_actions_wait_while_the_start_is_prepared(parts) -> None:
    queue, runner, _model, log = parts

    def click_again() -> None:
        assert queue.busy
        assert queue.starting
        assert not queue.idle
        queue.push(lambda: NamedJob("second"))

    log.during_start = click_again
    queue.push(lambda: NamedJob("first"))
    assert log.events == ["starting"]
    for _ in range(3):
        runner.finish()
    assert log.events == ["starting", "started", "finished first", "finished second", "idle"]


def test_what_is_cancelled_while_the_start_is_prepared_starts_nothing(parts) -> None:
    queue, runner, _model, log = parts
    log.during_start = queue.cancel
    queue.push(lambda: NamedJob("click"))
    assert not runner.busy
    assert log.events == ["starting", "idle"]


def test_another_model_that_is_chosen_while_the_start_is_prepared_is_started_instead(parts) -> None:
    queue, runner, model, log = parts
    other = FakeModel()

    def choose_other() -> None:
        log.during_start = lambda: None
        queue.cancel()
        queue.push(lambda: setattr(queue, "model", other), needsModel=False)
        queue.start()

    log.during_start = choose_other
    queue.push(lambda: NamedJob("click"))
    runner.finish()
    assert (model.starts, other.starts) == (0, 1)
    assert log.events == ["starting", "starting", "started", "idle"]


def test_a_queue_that_is_closed_while_the_start_is_prepared_starts_nothing(parts) -> None:
    queue, runner, model, log = parts
    log.during_start = queue.close
    queue.push(lambda: NamedJob("click"))
    assert not runner.busy
    assert model.starts == 0


def test_a_failed_preparation_drops_what_waits_and_the_next_action_tries_again(parts) -> None:
    queue, runner, _model, log = parts

    def refuse() -> None:
        raise SegAnyPETError("refused")

    log.during_start = refuse
    queue.push(lambda: NamedJob("click"))
    assert log.events == ["starting", "failed: refused", "idle"]
    log.during_start = lambda: None
    queue.push(lambda: NamedJob("click"))
    assert runner.busy


def test_an_unexpected_error_of_the_preparation_leaves_an_idle_queue(parts) -> None:
    queue, _runner, _model, log = parts
    log.during_start = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        queue.push(lambda: NamedJob("click"))
    assert queue.idle
    assert log.events == ["starting", "failed: division by zero", "idle"]


def test_a_result_that_cannot_be_used_is_told_and_the_next_action_is_done(parts, monkeypatch) -> None:
    queue, runner, model, log = parts
    model.backend = "ready"

    def refuse(job) -> None:
        raise SegAnyPETError("another scan")

    monkeypatch.setattr(log, "onFinished", refuse)
    queue.push(lambda: NamedJob("first"))
    queue.push(lambda: NamedJob("second"))
    runner.finish()
    assert log.events == ["failed: another scan"]
    assert queue.job.name == "second"
