"""A model in a process of its own on this machine: a crash or a full memory there does not end this program.

The worker serves the same HTTP as a server elsewhere, on a free port of 127.0.0.1 with a token that only its parent
knows; see docs/decisions/0001-worker-transport.md.

Threads: any thread may call any method of `WorkerBackend`. A worker is started, or replaced after a cancelled request,
by a background thread that fulfils the future `_worker`; callers wait on it through a `PendingRequest`, so they can be
cancelled meanwhile. `_lock` guards the two attributes `_worker` and `_process`; it is held while a process is spawned
(so that `close` cannot miss it), never while anything waits for a process or for the network.
"""

from __future__ import annotations

import os
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
from SegAnyPETLib.backend.worker.process import WorkerProcess, python_beside
from SegAnyPETLib.backend.worker.settings import WorkerSettings
from SegAnyPETLib.errors import BackendError, Cancelled, OutOfMemory

if TYPE_CHECKING:
    from SegAnyPETLib.models.spec import ModelSpec

#: Seconds in which a worker must be ready; importing torch takes long from a slow disk.
START_DEADLINE_S = 300.0
#: Seconds that a worker gets to finish a cancelled request before it is killed.
PATIENCE_S = 3.0
#: Poll interval in seconds while a cancelled worker finishes.
POLL_S = 0.05
#: Seconds that a process gets to exit after a lost connection before it counts as alive.
EXIT_GRACE_S = 1.0
#: Number of workers that one request may go to, if the worker ends over it.
MAX_WORKERS = 2


@dataclass(frozen=True, eq=False)
class _Worker:
    process: WorkerProcess
    client: HttpBackend

    @property
    def spec(self) -> ModelSpec:
        return self.client.spec


class WorkerBackend:
    """Run a model in a worker process, which is started at the first use and again after it has crashed.

    Any thread may call it. The process ends with this object, with `close`, and with this process however that ends.

    Args:
        model: name of the model, or path of a weights file.
        device: "cpu", "cuda" or "mps".
        threads: CPU threads; None for torch's default.
        precision: None for the model's own choice on the device.
        python: interpreter of the worker; None for this process's own, in Slicer PythonSlicer.
        progress: called with each stage of the worker's start, from other threads.
        deadline_s: seconds after which `predict` gives up, once the worker is ready.

    Raises:
        InputError: no Python was found to run it with.
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
        self._progress = progress
        self._deadline_s = deadline_s
        self._lock = threading.Lock()
        self._worker: Future[_Worker] | None = None
        self._process: WorkerProcess | None = None
        self._pending = PendingRequests()

    @property
    def spec(self) -> ModelSpec:
        """Specification of the model; starts the worker if necessary."""
        return self._get().spec

    @property
    def device(self) -> str:
        """Device and precision of the model; starts the worker if necessary."""
        return self._get().client.device

    @property
    def pid(self) -> int | None:
        """Identifier of the worker process, or None if there is none."""
        process = self._process
        return None if process is None or process.ended() else process.pid

    def start(self) -> None:
        """Start the worker and wait until it is ready.

        Raises:
            DeviceMissing: the machine has no such device.
            InputError: the model is not known or not installed, or cannot run in the precision.
            BackendError: the worker does not start.
            Cancelled: `cancel` was called meanwhile; the worker goes on starting.
        """
        self._get()

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        """Segment targets in a window. If the worker ends over it, another one tries once more.

        Raises:
            Cancelled: `cancel` was called meanwhile.
            OutOfMemory: the device's memory does not suffice; another device may help.
            BackendError: the worker ended again, took too long or failed.
            DeviceMissing: the machine has no such device.
            InputError: the model is not known or not installed, or cannot run in the precision.
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
                    if isinstance(error, Cancelled) or not worker.process.ended(EXIT_GRACE_S):
                        self._settle(worker)
                        raise
                    worker.client.close()
            raise worker.process.failure()

    def cancel(self) -> None:
        """Make every `predict` that is running raise `Cancelled`; returns at once.

        A worker that does not finish the request within a few seconds is killed, and another one started.
        """
        self._pending.cancel()

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
        """Return the worker that runs, or wait for the one that starts."""
        with self._lock:
            worker = self._worker
            if worker is None or _lost(worker):
                worker = self._renew(self._launch)
        if worker.done() and not worker.exception():
            return worker.result()
        pending.renew(START_DEADLINE_S + PATIENCE_S)
        return pending.run(worker.result, lambda: None)

    def _settle(self, worker: _Worker) -> None:
        """Keep others from using a worker until it is idle, or replaced."""
        with self._lock:
            current = self._worker
            if current is not None and current.done() and not current.exception() and current.result() is worker:
                self._renew(lambda made: self._idle(worker, made))

    def _renew(self, make: Callable[[Future[_Worker]], _Worker]) -> Future[_Worker]:
        """Start a worker in the background (the caller holds the lock); callers wait on the future."""
        self._worker = made = Future[_Worker]()

        def work() -> None:
            try:
                made.set_result(make(made))
            except Exception as error:  # noqa: BLE001 - raised in the threads that wait
                made.set_exception(error)

        threading.Thread(target=work, name="worker's start", daemon=True).start()
        return made

    def _launch(self, made: Future[_Worker]) -> _Worker:
        """Start a process, and return it once it is ready."""
        with self._lock:
            if self._worker is not made:  # `close` came first
                raise Cancelled
            settings = replace(self._settings, token=secrets.token_urlsafe(32), parent=os.getpid())
            old, process = self._process, WorkerProcess(self._python, settings)
            self._process = process
        if old is not None:
            old.kill()
        port = process.wait_ready(START_DEADLINE_S, self._progress)
        client = HttpBackend(f"http://127.0.0.1:{port}", settings.token, tries=2)
        client.connect()
        self._progress(f"ready on {client.device}")
        return _Worker(process, client)

    def _idle(self, worker: _Worker, made: Future[_Worker]) -> _Worker:
        """Return a worker whose request was cancelled, once it has finished; a new one if it does not finish."""
        ends_at = time.monotonic() + PATIENCE_S
        while (left_s := ends_at - time.monotonic()) > 0 and not worker.process.ended():
            try:
                if not worker.client.busy(left_s):
                    return worker
            except BackendError:
                break
            time.sleep(POLL_S)
        worker.client.close()
        self._progress("starting again")
        return self._launch(made)


def _lost(worker: Future[_Worker]) -> bool:
    """Return whether a worker could not be started, or has ended."""
    return worker.done() and (worker.exception() is not None or worker.result().process.ended())
