"""A queue of what the user asked for: one action at a time, and the model started before the first that needs it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from SegAnyPETLib.errors import Cancelled, SegAnyPETError

Returned = TypeVar("Returned")


class Job(Protocol):
    """Work for the model: `SegAnyPETLib.mrml.segment_jobs.Job` or `BatchJob`."""

    def run(self) -> None:
        """Ask the model; runs in the runner's thread."""

    def stop(self) -> None:
        """Leave what has not begun yet; called on the GUI thread."""


class Startable(Protocol):
    """The model as the queue needs it; see `SegAnyPETPanel.model.model.Model`."""

    backend: Any

    def start(self) -> None:
        """Start the model; runs in the runner's thread."""

    def renew(self) -> None:
        """Prepare for the next job after a cancelled one."""

    def cancel(self) -> None:
        """Cancel the running job or the start."""

    def close(self) -> None:
        """End the model."""


class JobRunner(Protocol):
    """Runs one function at a time; see `SegAnyPETPanel.actions.runner.Runner`."""

    @property
    def busy(self) -> bool:
        """Whether a function runs."""

    def start(
        self,
        function: Callable[[], None],
        onDone: Callable[[], None],
        onError: Callable[[BaseException], None],
        onPoll: Callable[[], None],
    ) -> None:
        """Run a function; the callbacks run on the GUI thread."""

    def close(self) -> None:
        """Stop calling back."""


class Listener(Protocol):
    """Receives progress callbacks on the GUI thread."""

    def onStarting(self) -> None:
        """Prepare the start of the model; it may process GUI events.

        Raises:
            SegAnyPETError: the model cannot be started.
        """

    def onStarted(self) -> None:
        """React to the model being ready."""

    def onBusy(self, job: Any | None) -> None:
        """React to the begin of a job, or of the start of the model if `job` is None."""

    def onPoll(self) -> None:
        """React to a poll of the running job or start."""

    def onFinished(self, job: Any) -> None:
        """Take the result of a job."""

    def onFailed(self, error: BaseException, job: Any | None) -> None:
        """React to a failed job; `job` is None if an action or the start of the model failed."""

    def onIdle(self) -> None:
        """React to an empty queue: nothing runs and nothing waits."""


@dataclass(frozen=True)
class Action:
    """Something that the user asked for.

    Attributes:
        do: changes the scene, or returns a job for the model. It is called when its turn comes, so it sees the
            selection and the scene as the actions before it left them.
        needsModel: whether the model must have been started.
    """

    do: Callable[[], Job | None]
    needsModel: bool = True


class ActionQueue:
    """Actions in the order in which the user asked for them. For the GUI thread only.

    Args:
        runner: runs jobs and the start of the model beside the GUI thread.
        model: the model.
        listener: receives progress callbacks.

    Attributes:
        model: may be replaced while nothing runs.
        job: the running job, or None.
    """

    def __init__(self, runner: JobRunner, model: Startable, listener: Listener) -> None:
        self.model = model
        self.job: Any | None = None
        self._runner = runner
        self._listener = listener
        self._actions: deque[Action] = deque()
        self._last: Action | None = None
        self._starting = False
        self._cancelled = False

    @property
    def busy(self) -> bool:
        """Whether an action is done or a job runs, or the model is being started."""
        return self._starting or self._runner.busy

    @property
    def starting(self) -> bool:
        """Whether the GUI thread is about an action or the start of the model, such as by installing packages."""
        return self._starting

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return not self.busy and not self._actions

    def push(self, do: Callable[[], Job | None], needsModel: bool = True) -> None:
        """Append an action."""
        self._actions.append(Action(do, needsModel))
        self.next()

    def repeat(self) -> None:
        """Do the action that failed last once more, before all that wait."""
        if self._last is not None:
            self._actions.appendleft(self._last)
        self.next()

    def start(self) -> None:
        """Start the model if it does not run."""
        self.push(lambda: None)

    def cancel(self) -> None:
        """Cancel what runs, and drop what waits."""
        self._actions.clear()
        self._cancelled = True
        if self.job is not None:
            self.job.stop()
        if self._runner.busy:
            self.model.cancel()

    def close(self) -> None:
        """Cancel everything and end the model."""
        self.cancel()
        self._runner.close()
        self.model.close()

    def next(self) -> None:
        """Do what waits until something runs."""
        while self._actions and not self.busy:
            if self._actions[0].needsModel and self.model.backend is None:
                self._startModel()
            else:
                self._do(self._actions.popleft())
        if self.idle:
            self._listener.onIdle()

    def _startModel(self) -> None:
        waiting = self._actions[0]
        try:
            self._undisturbed(self._listener.onStarting)
        except SegAnyPETError as error:
            self._last = waiting
            self._actions.clear()
            self._listener.onFailed(error, None)
            return
        except Exception as error:  # a fault of the program, which the listener raises again
            self._actions.clear()
            try:
                self._listener.onFailed(error, None)
            finally:
                self._listener.onIdle()
            raise
        if not self._actions or self._actions[0] is not waiting:  # cancelled meanwhile, or replaced by another choice
            return
        self.model.renew()
        self._runner.start(self.model.start, self._started, self._startFailed, self._listener.onPoll)
        self._listener.onBusy(None)

    def _undisturbed(self, function: Callable[[], Returned]) -> Returned:
        """Call a function that may process events, whose actions wait until it has returned."""
        self._starting = True
        try:
            return function()
        finally:
            self._starting = False

    def _started(self) -> None:
        try:
            self._listener.onStarted()
        finally:
            self.next()

    def _startFailed(self, error: BaseException) -> None:
        if not isinstance(error, Cancelled):  # `cancel` dropped what waited; what came since may be another model
            self._last = self._actions[0] if self._actions else None
            self._actions.clear()
        try:
            self._listener.onFailed(error, None)
        finally:
            self.next()

    def _do(self, action: Action) -> None:
        self._cancelled = False
        try:
            job = self._undisturbed(action.do)
        except SegAnyPETError as error:
            self._listener.onFailed(error, None)
            return
        if job is None or self._cancelled:  # cancelled while it processed events
            return
        self._last, self.job = action, job
        self.model.renew()
        self._runner.start(job.run, self._finished, self._failed, self._listener.onPoll)
        self._listener.onBusy(job)

    def _finished(self) -> None:
        job, self.job = self.job, None
        try:
            self._listener.onFinished(job)
        except SegAnyPETError as error:  # the result cannot be used
            self._listener.onFailed(error, None)
        finally:
            self.next()

    def _failed(self, error: BaseException) -> None:
        job, self.job = self.job, None
        try:
            self._listener.onFailed(error, job)
        finally:
            self.next()
