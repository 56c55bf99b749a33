"""What the user asked for, done in its order: one thing at a time, and the model started before it is needed."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from SegAnyPETLib.errors import Cancelled, SegAnyPETError
from SegAnyPETLib.mrml.segment_jobs import BatchJob
from SegAnyPETPanel.runner import Runner


class Listener(Protocol):
    """Is told on the GUI's thread how the work goes."""

    def onStarting(self):
        """The model is to be started; raises where it cannot be."""

    def onStarted(self):
        """The model is ready."""

    def onBusy(self, job):
        """The model begins with a job, or where it is None, to start."""

    def onPoll(self):
        """It is still at it."""

    def onFinished(self, job):
        """A job has its answer."""

    def onFailed(self, error, job):
        """A job failed, or where it is None, an act or the start of the model."""

    def onIdle(self):
        """Nothing waits."""


@dataclass(frozen=True)
class Act:
    """Something that the user did.

    Attributes:
        do: changes the scene, or makes a job for the model.
        asksModel: whether the model must run before.
    """

    do: Callable[[], Any]
    asksModel: bool = True


class Work:
    """A queue of acts.

    Args:
        parent: the widget that timers belong to.
        model: the `Model`.
        listener: is told how it goes.

    Attributes:
        model: may be replaced while nothing runs.
        job: that runs, or None.
    """

    def __init__(self, parent, model, listener: Listener):
        self.model = model
        self.job = None
        self._listener = listener
        self._acts: deque[Act] = deque()
        self._last: Act | None = None
        self._runner = Runner(parent, listener.onPoll)

    @property
    def busy(self):
        """Whether something runs."""
        return self._runner.busy

    @property
    def idle(self):
        """Whether nothing runs and nothing waits."""
        return not self._runner.busy and not self._acts

    def push(self, do, asksModel=True):
        """Do something in its turn."""
        self._acts.append(Act(do, asksModel))
        self.next()

    def repeat(self):
        """Do first what failed last."""
        if self._last is not None:
            self._acts.appendleft(self._last)
        self.next()

    def start(self):
        """Start the model, unless it runs."""
        self.push(lambda: None)

    def cancel(self):
        """End what runs, and drop what waits."""
        self._acts.clear()
        if isinstance(self.job, BatchJob):
            self.job.stopped = True
        if self.busy:
            self.model.cancel()

    def close(self):
        """End with the panel."""
        self.cancel()
        self._runner.close()
        self.model.close()

    def next(self):
        """Do what waits, as far as nothing runs."""
        while self._acts and not self.busy:
            if self._acts[0].asksModel and self.model.running is None:
                self._startModel()
            else:
                self._do(self._acts.popleft())
        if self.idle:
            self._listener.onIdle()

    def _startModel(self):
        try:
            self._listener.onStarting()
        except SegAnyPETError as error:
            self._last = self._acts[0]
            self._acts.clear()
            self._listener.onFailed(error, None)
            return
        except Exception:
            self._acts.clear()
            raise
        self.model.renew()
        self._runner.start(self.model.start, self._started, self._startFailed)
        self._listener.onBusy(None)

    def _started(self, nothing):
        try:
            self._listener.onStarted()
        finally:
            self.next()

    def _startFailed(self, error):
        if not isinstance(error, Cancelled):  # `cancel` dropped what waited then; what came since may be another model
            self._last = self._acts[0] if self._acts else None
            self._acts.clear()
        try:
            self._listener.onFailed(error, None)
        finally:
            self.next()

    def _do(self, act):
        try:
            job = act.do()
        except SegAnyPETError as error:
            self._listener.onFailed(error, None)
            return
        if job is None:
            return
        self._last, self.job = act, job
        self.model.renew()
        self._runner.start(job.run, self._finished, self._failed)
        self._listener.onBusy(job)

    def _finished(self, nothing):
        job, self.job = self.job, None
        try:
            self._listener.onFinished(job)
        finally:
            self.next()

    def _failed(self, error):
        job, self.job = self.job, None
        try:
            self._listener.onFailed(error, job)
        finally:
            self.next()
