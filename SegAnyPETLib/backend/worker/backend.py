"""A model in a process of its own on this machine: what kills it does not kill this program."""

from __future__ import annotations

import secrets
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from SegAnyPETLib.backend.http.backend import HttpBackend
from SegAnyPETLib.backend.http.pending import PendingRequest, PendingRequests
from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.backend.worker.child import WorkerProcess, python_beside
from SegAnyPETLib.backend.worker.settings import WorkerSettings
from SegAnyPETLib.errors import BackendError, Cancelled, OutOfMemory

if TYPE_CHECKING:
    from SegAnyPETLib.models.spec import ModelSpec

#: Seconds in which a worker must be ready; importing torch takes long from a slow disk.
START_DEADLINE_S = 300.0
#: Seconds that a worker gets to end work that nobody wants any more, before it is killed.
PATIENCE_S = 3.0
#: Seconds between two looks whether it has, and after a lost connection until the process counts as alive.
LOOK_S, DYING_S = 0.05, 1.0
#: How often a request goes to a worker that ends over it.
MAX_WORKERS = 2


@dataclass(frozen=True, eq=False)
class _Worker:
    process: WorkerProcess
    client: HttpBackend

    @property
    def spec(self) -> ModelSpec:
        return self.client.spec


class WorkerBackend:
    """Runs a model in a worker process, which is started at the first use and again after it has crashed.

    Any thread may call it. The process ends with this object, with `close`, and with this process however that ends.

    Args:
        model: its name, or the path of a weights file.
        device: "cpu", "cuda" or "mps".
        threads: threads of the CPU, torch's default where None.
        precision: None for the model's own choice on the device.
        python: the interpreter of the worker; this process's own where None, in Slicer PythonSlicer.
        progress: called with what the worker does while it starts, from other threads.
        deadline_s: seconds in which `predict` has its answer or gives up, once the worker is ready.

    Raises:
        InputError: there is no Python to run it with.
    """

    def __init__(
        self,
        model: str = "lite",
        device: str = "cpu",
        threads: int | None = None,
        precision: str | None = None,
        python: str | None = None,
        progress: Callable[[str], None] = lambda stage: None,
        deadline_s: float = 120.0,
    ) -> None:
        self._settings = WorkerSettings(model, device, threads, precision)
        self._python = python or python_beside(sys.executable)
        self._progress, self._deadline_s = progress, deadline_s
        self._lock = threading.Lock()
        self._worker: Future[_Worker] | None = None
        self._process: WorkerProcess | None = None
        self._pending = PendingRequests()

    @property
    def spec(self) -> ModelSpec:
        """The model; starts the worker where necessary."""
        return self._get().spec

    @property
    def device(self) -> str:
        """Where the model runs and in which precision; starts the worker where necessary."""
        return self._get().client.device

    @property
    def pid(self) -> int | None:
        """Of the worker process, None where there is none."""
        process = self._process
        return None if process is None or process.ended() else process.pid

    def start(self) -> None:
        """Start the worker and wait until it is ready.

        Raises:
            InputError: the model, device or precision is not there.
            BackendError: the worker does not start.
            Cancelled: `cancel` was called meanwhile; the worker goes on starting.
        """
        self._get()

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        """Segment targets in a window. Where the worker ends over it, another one tries once more.

        Raises:
            Cancelled: `cancel` was called meanwhile.
            OutOfMemory: the device's memory does not suffice; `move_to` another one may help.
            BackendError: the worker ended again, took too long or failed.
            InputError: the model, device or precision is not there.
        """
        with self._pending.begun(START_DEADLINE_S) as pending:
            for _ in range(MAX_WORKERS):
                worker = self._ready(pending)
                try:
                    pending.renew(self._deadline_s)
                    return worker.client.predict_during(pending, worker.spec, image, targets)
                except OutOfMemory:
                    raise
                except (BackendError, Cancelled) as error:
                    if isinstance(error, Cancelled) or not worker.process.ended(DYING_S):
                        self._settle(worker)
                        raise
                    worker.client.close()
            raise worker.process.failure()

    def cancel(self) -> None:
        """Make every `predict` that is running raise `Cancelled`; returns at once.

        A worker that does not end the work within a few seconds is killed, and another one started.
        """
        self._pending.cancel()

    def move_to(self, device: str) -> None:
        """Begin to start the worker again on another device, in the model's own precision there."""
        self.close()
        with self._lock:
            self._settings = replace(self._settings, device=device, precision=None)
            self._renew(self._launch)

    def close(self) -> None:
        """Cancel what is running and end the worker; the next `predict` starts another one."""
        self.cancel()
        with self._lock:
            worker, self._worker = self._worker, None
            process, self._process = self._process, None
        if process is not None:
            process.kill()
        if worker is not None and worker.done() and not worker.exception():
            worker.result().client.close()

    def __enter__(self) -> WorkerBackend:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _get(self) -> _Worker:
        with self._pending.begun(START_DEADLINE_S) as pending:
            return self._ready(pending)

    def _ready(self, pending: PendingRequest) -> _Worker:
        """The worker that runs, or will soon."""
        with self._lock:
            worker = self._worker
            if worker is None or _lost(worker):
                worker = self._renew(self._launch)
        if worker.done() and not worker.exception():
            return worker.result()
        pending.renew(START_DEADLINE_S + PATIENCE_S)
        return pending.run(worker.result, lambda: None)

    def _settle(self, worker: _Worker) -> None:
        """Let nobody use a worker until it is idle, or replaced."""
        with self._lock:
            current = self._worker
            if current is not None and current.done() and not current.exception() and current.result() is worker:
                self._renew(lambda made: self._idle(worker, made))

    def _renew(self, make: Callable[[Future[_Worker]], _Worker]) -> Future[_Worker]:
        """Have the worker made in the background, under the lock; whoever needs one waits."""
        self._worker = made = Future[_Worker]()

        def work() -> None:
            try:
                made.set_result(make(made))
            except Exception as error:  # noqa: BLE001 - raised in the threads that wait
                made.set_exception(error)

        threading.Thread(target=work, name="worker's start", daemon=True).start()
        return made

    def _launch(self, made: Future[_Worker]) -> _Worker:
        with self._lock:
            if self._worker is not made:  # `close` came first
                raise Cancelled("cancelled; nothing was changed")
            settings = replace(self._settings, token=secrets.token_urlsafe(32))
            old, self._process = self._process, WorkerProcess(self._python, settings)
            process = self._process
        if old is not None:
            old.kill()
        port = process.wait_ready(START_DEADLINE_S, self._progress)
        client = HttpBackend(f"http://127.0.0.1:{port}", settings.token, tries=2)
        client.connect()
        self._progress(f"ready on {client.device}")
        return _Worker(process, client)

    def _idle(self, worker: _Worker, made: Future[_Worker]) -> _Worker:
        """A worker whose work has been cancelled, as soon as it has ended that; another one where it does not."""
        ends_at = time.monotonic() + PATIENCE_S
        while (left_s := ends_at - time.monotonic()) > 0 and not worker.process.ended():
            try:
                if not worker.client.busy(left_s):
                    return worker
            except BackendError:
                break
            time.sleep(LOOK_S)
        worker.client.close()
        self._progress("starting again")
        return self._launch(made)


def _lost(worker: Future[_Worker]) -> bool:
    """Whether a worker could not be started, or has ended."""
    return worker.done() and (worker.exception() is not None or worker.result().process.ended())
