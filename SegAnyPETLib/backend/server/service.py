"""The work of a server: engines on one thread, and the requests that wait for it.

Threads: the event loop's thread runs `predict`, `stop` and everything of HTTP; the thread "engines" warms up and then
runs one request after the other. The condition `_changed` guards `state`, `_waiting` and `_running`; it is held for
moments, never while a model runs. A result goes back to the loop by `call_soon_threadsafe`. The cache belongs to the
engines' thread: the loop only looks whether a key is in it, and `forget` leaves a note in `_to_forget` (a deque, whose
appends and pops are atomic) that the engines' thread follows before the next request.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from SegAnyPETLib.backend.in_process import predict_in
from SegAnyPETLib.backend.messages.fit import check_fits
from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.messages.requests import PROTOCOL, PredictRequest
from SegAnyPETLib.backend.protocol import Prediction
from SegAnyPETLib.backend.server.guards.client_windows import ClientWindows
from SegAnyPETLib.backend.server.logs import EventLog
from SegAnyPETLib.backend.server.refusals import ClientGone, Refusal, busy, starting, stopping
from SegAnyPETLib.errors import BackendError, InputError, OutOfMemory, SegAnyPETError

if TYPE_CHECKING:
    from SegAnyPETLib.models.engine import Engine

STARTING = "starting"
READY = "ready"
STOPPING = "stopping"

#: Memory for the embeddings of all models together; one of the published size takes 0.8 MB, one of Lite 0.4 MB.
CACHE_BYTES = 512 * 1024**2

#: Seconds that the running request may take to finish after `stop`.
STOP_S = 20.0


@dataclass
class Counts:
    """Totals since the start, and what is kept now; written by the engines' thread, read by any."""

    hits: int = 0
    misses: int = 0
    out_of_memory: int = 0
    embeddings: int = 0
    embedding_bytes: int = 0


@dataclass(eq=False)
class _Job:
    request: PredictRequest
    engine: Engine
    client: str
    ends_at: float
    outcome: asyncio.Future[list[Prediction] | SegAnyPETError]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    @property
    def key(self) -> str:
        """Key of the embedding."""
        return _key(self.request.model, self.request.window_sha256)

    def answer(self, outcome: list[Prediction] | SegAnyPETError) -> None:
        """Pass the outcome to the coroutine that waits; callable from any thread."""
        with suppress(RuntimeError):  # the loop is closed, so nobody waits
            self.loop.call_soon_threadsafe(self._answer, outcome)

    def _answer(self, outcome: list[Prediction] | SegAnyPETError) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class Service:
    """Run requests one after the other, in the order in which they came.

    All of torch's work is done by one thread that lives as long as the service: what a device prepares at first use
    belongs to a thread.

    Args:
        engines: the models, whose names differ, with one cache for all of them.
        limits: what clients may ask for.
        log: where events go.

    Attributes:
        state: "starting", "ready" or "stopping".
        failure: why the service could not start.
        cache: the engines' cache.

    Raises:
        InputError: there is no model, or two have the same name.
        ValueError: the engines do not share a cache.
    """

    def __init__(self, engines: Sequence[Engine], limits: Limits | None = None, log: EventLog | None = None) -> None:
        self.engines = {engine.spec.name: engine for engine in engines}
        if not engines or len(self.engines) < len(engines):
            raise InputError("a server needs at least one model, and each only once")
        self.cache = engines[0].cache
        if any(engine.cache is not self.cache for engine in engines):
            raise ValueError("the engines of a service share one cache")
        self.limits, self.log, self.counts = limits or Limits(), log or EventLog(), Counts()
        self.state = STARTING
        self.failure: SegAnyPETError | None = None
        self._windows = ClientWindows(self.limits.windows)
        self._changed = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._to_forget: deque[str] = deque()
        self._running: _Job | None = None
        self._started, self._stopped = threading.Event(), False
        self._thread = threading.Thread(target=self._work, name="engines", daemon=True)

    def start(self) -> None:
        """Begin to warm up; `wait_started` waits for its end. Later calls do nothing."""
        with self._changed:
            if self.state == STARTING and self._thread.ident is None:
                self._thread.start()

    def wait_started(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of the start, at most for a time; return whether it is over. See `failure`."""
        return self._started.wait(timeout_s)

    async def stop(self, within_s: float = STOP_S) -> None:
        """Take no more requests, refuse those that wait, and let the running one finish if it does so in time."""
        with self._changed:
            if self._stopped:
                return
            self.state, self._stopped = STOPPING, True
            refused = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for job in refused:
            job.answer(stopping())
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, within_s)
        if (running := self._running) is not None:
            running.answer(stopping())
        self._started.set()  # so that nobody waits for a start that did not finish

    def forget(self, window_sha256: str) -> None:
        """Drop the embeddings of a window before the next request runs; callable from any thread."""
        self._to_forget.append(window_sha256)

    @property
    def waiting(self) -> int:
        """Number of requests that wait."""
        return len(self._waiting)

    @property
    def running(self) -> bool:
        """Whether a request is running."""
        return self._running is not None

    def status(self) -> dict[str, Any]:
        """Return the fields of ``/v1/health``."""
        return {"status": self.state, "protocol": PROTOCOL, "waiting": self.waiting, "running": self.running}

    def check_open(self) -> None:
        """Check that a request can be taken now.

        Raises:
            Refusal: the service is starting or stopping, or too many requests wait.
        """
        if self.state == STARTING:
            raise starting()
        if self.state == STOPPING:
            raise stopping()
        if self.waiting >= self.limits.queue:
            raise busy()

    async def predict(
        self,
        request: PredictRequest,
        client: str = "",
        deadline_s: float | None = None,
        gone: Callable[[], Awaitable[object]] | None = None,
    ) -> list[Prediction]:
        """Answer a request.

        Args:
            request: well-formed, see `unpack_request`.
            client: identifies the client, for the cap of its windows.
            deadline_s: seconds that the client waits; the service's own deadline holds if it is sooner.
            gone: returns when the client has disconnected.

        Raises:
            Refusal: the model or window is not known, the service is not ready or busy, the device's memory does not
                suffice, the deadline has passed, or the model failed.
            InputError: the request does not fit the model.
            ClientGone: nobody waits for the answer; the request does not run if it has not begun.
        """
        wait_s = min(self.limits.deadline_s, self.limits.deadline_s if deadline_s is None else deadline_s)
        engine = self._engine(request)
        check_fits(request, engine.spec)
        outcome = asyncio.get_running_loop().create_future()
        job = _Job(request, engine, client, time.monotonic() + wait_s, outcome)
        self._take(job)
        leaving = None if gone is None else asyncio.ensure_future(gone())
        try:
            await asyncio.wait(
                [outcome, leaving] if leaving else [outcome], timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            self._withdraw(job)
            if leaving:
                leaving.cancel()
        if outcome.cancelled():
            raise ClientGone("the client has gone") if leaving and leaving.done() else _overdue()
        if isinstance(answer := outcome.result(), SegAnyPETError):
            raise answer
        return answer

    def _engine(self, request: PredictRequest) -> Engine:
        engine = self.engines.get(request.model)
        if engine is None:
            raise Refusal("unknown_model", f"the server does not run this model; it runs: {', '.join(self.engines)}")
        if engine.spec.sha256 != request.weights_sha256:
            raise Refusal("unknown_model", f"the server runs other weights of {request.model}; connect to it again")
        return engine

    def _take(self, job: _Job) -> None:
        with self._changed:
            self.check_open()
            if job.request.image is None and not self._will_know(job.key):
                self.counts.misses += 1
                raise _unknown_window()
            self._waiting.append(job)
            self._changed.notify_all()

    def _will_know(self, key: str) -> bool:
        """Return whether a window is kept, or arrives with a request that runs earlier."""
        before = [*self._waiting, *([self._running] if self._running else [])]
        return key in self.cache or any(job.key == key and job.request.image is not None for job in before)

    def _withdraw(self, job: _Job) -> None:
        """Take a job out of the queue because nobody waits for it; one that runs already goes on."""
        job.outcome.cancel()
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)

    def _work(self) -> None:
        """Warm up, then run one job after the other (the thread "engines")."""
        self._warm_up()
        while (job := self._next()) is not None:
            outcome = self._outcome(job)
            self._running = None
            job.answer(outcome)
            del job, outcome  # not needed while the thread waits

    def _warm_up(self) -> None:
        try:
            for engine in self.engines.values():
                engine.warm_up()
        except SegAnyPETError as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001 - whatever a device's driver throws
            self.log.failure("warm_up_failed", error)
            self.failure = BackendError("the model does not run on this device; the log says more")
        with self._changed:
            self.state = STOPPING if self.failure or self.state == STOPPING else READY
        self._started.set()

    def _next(self) -> _Job | None:
        """Wait for the next job whose deadline has not passed; None if the service stops."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self.state == STOPPING)
                if not self._waiting:
                    return None
                job = self._waiting.popleft()
                if time.monotonic() < job.ends_at:
                    self._running = job
                    return job
                job.answer(_overdue())

    def _outcome(self, job: _Job) -> list[Prediction] | SegAnyPETError:
        try:
            return self._predict(job)
        except OutOfMemory as error:
            self.counts.out_of_memory += 1
            self.log.write("error", "out_of_memory", model=job.request.model, targets=len(job.request.targets))
            return Refusal("out_of_memory", str(error))
        except SegAnyPETError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a bug in a model must not end the thread that all clients share
            self.log.failure("model_failed", error, model=job.request.model, targets=len(job.request.targets))
            return Refusal("failed", "the model failed on this request; the server's log says more")
        finally:
            self.counts.embeddings, self.counts.embedding_bytes = len(self.cache), self.cache.used_bytes

    def _predict(self, job: _Job) -> list[Prediction]:
        while self._to_forget:
            window_sha256 = self._to_forget.popleft()
            for model in self.engines:
                self.cache.drop(_key(model, window_sha256))
        request = job.request
        known = job.engine.knows(job.key)
        if known:
            self.counts.hits += 1
        else:
            with self._changed:  # the event loop counts misses too
                self.counts.misses += 1
            if request.image is None:
                raise _unknown_window()
        for forgotten in self._windows.use(job.client, job.key):
            self.cache.drop(forgotten)
        return predict_in(job.engine, job.key, request.spacing_mm, request.image, request.targets)


def _key(model: str, window_sha256: str) -> str:
    """Return the key of an embedding; two models never share one."""
    return f"{model}/{window_sha256}"


def _overdue() -> Refusal:
    return Refusal("deadline", "the answer took too long; try again, or use a faster device")


def _unknown_window() -> Refusal:
    return Refusal("unknown_window", "the server does not know this window; send its voxels")
