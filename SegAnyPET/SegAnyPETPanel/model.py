"""The model that the panel asks: started when it is first needed, and again after the choice has changed."""

import shutil
import threading

from SegAnyPETLib.errors import Cancelled, InputError
from SegAnyPETPanel.model_choice import INSIDE, SERVER, WORKER


class Running:
    """A backend that is ready.

    It knows what it is without asking, so the GUI's thread never waits for it; and a cancelled job stays cancelled
    between two looks of the model.

    Args:
        backend: of which spec and device are asked now.
    """

    def __init__(self, backend):
        self.spec, self.device = backend.spec, backend.device
        self._backend = backend
        self._cancelled = threading.Event()

    def predict(self, image, targets):
        """As `Backend.predict`."""
        self._check()
        predictions = self._backend.predict(image, targets)
        self._check()
        return predictions

    def cancel(self):
        """End the job that runs, whether or not the model is asked at this moment."""
        self._cancelled.set()
        self._backend.cancel()

    def renew(self):
        """Another job begins."""
        self._cancelled.clear()

    def _check(self):
        if self._cancelled.is_set():
            raise Cancelled


class Model:
    """A backend, and how to start it.

    Attributes:
        choice: the `ModelChoice`.
        running: the `Running` backend, None until it has been started.
        progress: what the start is at, for the user; written by another thread.
    """

    def __init__(self, choice):
        self.choice = choice
        self.running = None
        self.progress = ""
        self._made = None
        self._cancelled = False

    def start(self):
        """Start the model and wait for it; not for the GUI's thread.

        Raises:
            SegAnyPETError: it cannot be started, or `cancel` was called meanwhile.
        """
        self._made = backend = self._made or self._make()
        self._check()
        if self.choice.place == WORKER:
            backend.start()
        elif self.choice.place == SERVER:
            backend.connect()
        self._check()
        self.running = Running(backend)

    def renew(self):
        """Something else begins than what was cancelled."""
        self._cancelled = False
        if self.running is not None:
            self.running.renew()

    def cancel(self):
        """End what runs, or do not wait for the start any longer."""
        self._cancelled = True
        if self.running is not None:
            self.running.cancel()
        elif self._made is not None:
            self._made.cancel()

    def close(self):
        """End the worker process, or the connection."""
        self.cancel()
        made, self._made, self.running = self._made, None, None
        if made is not None and self.choice.place != INSIDE:
            made.close()

    def _make(self):
        choice = self.choice
        if choice.place == WORKER:
            from SegAnyPETLib.backend.worker.backend import WorkerBackend

            return WorkerBackend(choice.model, choice.device, python=shutil.which("PythonSlicer"), progress=self._note)
        if choice.place == SERVER:
            from SegAnyPETLib.backend.http.backend import HttpBackend

            if not choice.server:
                raise InputError("the server's address is missing; enter it under Model")
            return HttpBackend(choice.server, choice.token or None, choice.model)
        from SegAnyPETLib.backend.in_process import load_backend

        return load_backend(choice.model, choice.device)

    def _check(self):
        if self._cancelled:
            raise Cancelled

    def _note(self, state):
        self.progress = state
