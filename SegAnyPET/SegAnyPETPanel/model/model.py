"""The model that the panel asks: started when it is first needed, and again after the choice has changed."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from typing import Any

from slicer.i18n import tr as _

from SegAnyPETLib.backend.protocol import Backend, Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.errors import Cancelled, InputError
from SegAnyPETPanel.model.choice import INSIDE, SERVER, WORKER, ModelChoice

#: Creates a backend for a choice; the function that it gets is called with the state of its start, from any thread.
MakeBackend = Callable[[ModelChoice, Callable[[str], None]], Any]


def makeBackend(choice: ModelChoice, progress: Callable[[str], None]) -> Any:
    """Create the backend of a choice; nothing is started yet, except a model inside this process.

    Raises:
        SegAnyPETError: the choice is incomplete, or the model cannot be loaded.
    """
    if choice.location == WORKER:
        from SegAnyPETLib.backend.worker.backend import WorkerBackend

        return WorkerBackend(choice.model, choice.device, python=shutil.which("PythonSlicer"), progress=progress)
    if choice.location == SERVER:
        return makeServerBackend(choice)
    from SegAnyPETLib.backend.in_process import load_backend

    return load_backend(choice.model, choice.device)


def makeServerBackend(choice: ModelChoice) -> Any:
    """Create the client of the server of a choice.

    Raises:
        InputError: the address is missing, or it, the token or the certificate cannot be used.
    """
    from SegAnyPETLib.backend.http.backend import HttpBackend

    if not choice.server:
        raise InputError(_("the server's address is missing; enter it under Model"))
    return HttpBackend(choice.server, choice.token or None, choice.model, ca_file=choice.certificate or None)


class ReadyBackend:
    """A backend that was started.

    Spec and device are attributes, so the GUI thread never waits for them; and a cancelled job stays cancelled between
    two of its predictions.

    Args:
        backend: it has been started, so that its spec and device are known.
    """

    def __init__(self, backend: Backend) -> None:
        self.spec = backend.spec
        self.device = backend.device
        self._backend = backend
        self._cancelled = threading.Event()

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        """As `Backend.predict`."""
        self._check()
        predictions = self._backend.predict(image, targets)
        self._check()
        return predictions

    def cancel(self) -> None:
        """Cancel the running job, whether or not it is in `predict` at this moment."""
        self._cancelled.set()
        self._backend.cancel()

    def renew(self) -> None:
        """Forget the last `cancel`: another job begins."""
        self._cancelled.clear()

    def _check(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled


class Model:
    """A choice of a model and its backend.

    Args:
        choice: which model, and where.
        make: creates the backend.
        needsPackages: whether the backend needs the packages of its location; see `packages`.

    Attributes:
        choice: as given.
        needsPackages: as given.
        backend: the `ReadyBackend`, None until it has been started.
        progress: state of the start, for the user; written by another thread.
    """

    def __init__(self, choice: ModelChoice, make: MakeBackend = makeBackend, needsPackages: bool = True) -> None:
        self.choice = choice
        self.needsPackages = needsPackages
        self.backend: ReadyBackend | None = None
        self.progress = ""
        self._make = make
        self._created: Any = None
        self._cancelled = False

    def withChoice(self, choice: ModelChoice) -> Model:
        """Return a model of another choice, whose backend is created in the same way."""
        return Model(choice, self._make, self.needsPackages)

    def start(self) -> None:
        """Start the model and wait for it; not for the GUI thread.

        Raises:
            SegAnyPETError: it cannot be started, or `cancel` was called meanwhile.
        """
        self._created = backend = self._created or self._make(self.choice, self._note)
        self._check()
        if self.choice.location == WORKER:
            backend.start()
        elif self.choice.location == SERVER:
            backend.connect()
        self._check()
        self.backend = ReadyBackend(backend)

    def renew(self) -> None:
        """Forget the last `cancel`: another job begins."""
        self._cancelled = False
        if self.backend is not None:
            self.backend.renew()

    def cancel(self) -> None:
        """Cancel the running job, or stop waiting for the start."""
        self._cancelled = True
        if self.backend is not None:
            self.backend.cancel()
        elif self._created is not None:
            self._created.cancel()

    def close(self) -> None:
        """End the worker process or the connection."""
        self.cancel()
        created, self._created, self.backend = self._created, None, None
        if created is not None and self.choice.location != INSIDE:
            created.close()

    def _check(self) -> None:
        if self._cancelled:
            raise Cancelled

    def _note(self, state: str) -> None:
        self.progress = state
