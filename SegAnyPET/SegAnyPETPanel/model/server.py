"""The server of the section "Model": its certificate, and whether it answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from SegAnyPETPanel.actions.action_queue import ActionQueue
from SegAnyPETPanel.actions.errand import Errand, Tell
from SegAnyPETPanel.guard import guarded
from SegAnyPETPanel.model import requirements
from SegAnyPETPanel.model.choice import SERVER, ModelChoice, saveServer
from SegAnyPETPanel.model.model import makeServerBackend
from SegAnyPETPanel.model.section import ModelSection

if TYPE_CHECKING:
    from SegAnyPETLib.backend.messages.server_info import ServerInfo

CERTIFICATE_FILTER = "*.pem *.crt *.cer"


class ServerCheck:
    """The buttons "Test connection" and "..." beside the certificate.

    Args:
        ui: the widgets by name.
        section: holds what the user entered.
        queue: runs what takes long.
        setStatus: shows a sentence.
    """

    def __init__(self, ui: Any, section: ModelSection, queue: ActionQueue, setStatus: Callable[[str], None]) -> None:
        self._ui = ui
        self._section = section
        self._queue = queue
        self._setStatus = setStatus
        ui.testServerButton.connect("clicked()", guarded(self.onTest))
        ui.certificateButton.connect("clicked()", guarded(self.onChooseCertificate))

    def onChooseCertificate(self) -> None:
        """Let the user choose the file of the authority that signed the server's certificate."""
        path = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("Certificate of the authority"), "", CERTIFICATE_FILTER
        )
        if path:
            self._ui.certificateEdit.text = path

    def onTest(self) -> None:
        """Ask the server what it runs, with what the user entered; the model that runs stays as it is."""
        choice = self._section.choice()
        self._queue.push(lambda: self._test(choice), needsModel=False)

    def _test(self, choice: ModelChoice) -> Errand:
        requirements.ensure(SERVER)
        backend = makeServerBackend(choice)
        answers: list[tuple[ServerInfo, float]] = []

        def ask(tell: Tell) -> None:
            start = time.monotonic()
            try:
                answers.append((backend.connect(), time.monotonic() - start))
            finally:
                backend.close()

        def finish() -> None:
            saveServer(choice)
            info, seconds = answers[0]
            models = ", ".join(f"{spec.name} ({info.devices[spec.name]})" for spec in info.models)
            self._setStatus(
                _("The server answered in {ms:.0f} ms; it runs: {models}.").format(ms=1000 * seconds, models=models)
            )

        return Errand(ask, finish, _("Asking the server ..."), cancel=backend.cancel)
