"""Weights of the models: fetch them, take them from a file, delete them; each only after the user has agreed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETPanel.actions.action_queue import ActionQueue
from SegAnyPETPanel.actions.errand import Errand, Tell
from SegAnyPETPanel.guard import guarded
from SegAnyPETPanel.model import requirements
from SegAnyPETPanel.sentences import sentence

#: File name patterns of the dialog, as in `SegAnyPETLib.models.weights.registry`.
FILE_FILTER = "*.pth *.pt *.safetensors"


class Weights:
    """The buttons for weights, and the line above them.

    Args:
        ui: the widgets by name.
        queue: runs what takes long.
        setStatus: shows a sentence.
    """

    def __init__(self, ui: Any, queue: ActionQueue, setStatus: Callable[[str], None]) -> None:
        self._ui = ui
        self._queue = queue
        self._setStatus = setStatus
        for button, slot in (
            (ui.fetchButton, self.onFetch),
            (ui.fromFileButton, self.onFromFile),
            (ui.deleteWeightsButton, self.onDelete),
        ):
            button.connect("clicked()", guarded(slot))
        ui.modelSelector.connect("currentIndexChanged(int)", guarded(lambda index: self.show()))

    def show(self) -> None:
        """Show whether the chosen model's weights are on this computer."""
        ui, name = self._ui, self._chosen
        try:
            from SegAnyPETLib.models.weights import store
            from SegAnyPETLib.models.weights.registry import find_model

            bundled = find_model(name).bundled is not None
            record = None if bundled else store.installed().get(name)
            if bundled:
                text = _("The weights come with SegAnyPET.")
            elif record is None:
                text = _("The weights are not on this computer.")
            else:
                text = _("On this computer: {size:.0f} MB from {source}, licence: {licence}.").format(
                    size=record.size / 1e6, source=record.source, licence=record.licence or _("none stated")
                )
        except ImportError:  # filelock or platformdirs, which `requirements` installs
            bundled, record, text = name == "lite", None, ""
        except SegAnyPETError as error:
            bundled, record, text = False, None, sentence(error)
        ui.weightsLabel.text = text
        ui.fetchButton.enabled = ui.fromFileButton.enabled = not bundled
        ui.deleteWeightsButton.enabled = record is not None

    def onFetch(self) -> None:
        """Fetch the chosen model's weights from its authors, if the user agrees to the terms."""
        name = self._chosen
        self._queue.push(lambda: self._fetch(name), needsModel=False)

    def onFromFile(self) -> None:
        """Install the chosen model's weights from a file, if the user agrees to the terms."""
        name = self._chosen
        path = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("Weights of {name}").format(name=name), "", FILE_FILTER
        )
        if path:
            self._queue.push(lambda: self._add(name, Path(path)), needsModel=False)

    def onDelete(self) -> None:
        """Delete the chosen model's weights, if the user confirms."""
        from SegAnyPETLib.models.weights import store

        name = self._chosen
        if slicer.util.confirmOkCancelDisplay(_("Delete the weights of {name}?").format(name=name)):
            store.remove(name)
            self._tell(_("The weights of {name} were deleted.").format(name=name))

    def _fetch(self, name: str) -> Errand | None:
        requirements.ensureToFetch()
        from SegAnyPETLib.models.weights.download import fetch

        if not _agreesToFetch(name):
            return None

        def work(tell: Tell) -> None:
            fetch(name, accept_terms=True, progress=tell)

        return self._errand(name, work, _("Fetching the weights of {name} ...").format(name=name))

    def _add(self, name: str, path: Path) -> Errand | None:
        requirements.ensureToFetch()
        from SegAnyPETLib.models.weights.registry import find_model
        from SegAnyPETLib.models.weights.store import add

        terms = find_model(name).terms
        if terms is not None and not slicer.util.confirmOkCancelDisplay(terms, _("Terms")):
            return None

        def work(tell: Tell) -> None:
            add(name, path, accept_terms=True)

        return self._errand(name, work, _("Checking the weights ..."))

    def _errand(self, name: str, work: Callable[[Tell], None], note: str) -> Errand:
        done = _("The weights of {name} are on this computer now.").format(name=name)
        return Errand(work, lambda: self._tell(done), note)

    def _tell(self, text: str) -> None:
        self._setStatus(text)
        self.show()

    @property
    def _chosen(self) -> str:
        return str(self._ui.modelSelector.currentText)


def checkInstalled(name: str) -> None:
    """Refuse a model whose weights are not on this computer, in the words of the panel.

    Raises:
        InputError: they are not.
    """
    from SegAnyPETLib.models.weights.registry import MODELS
    from SegAnyPETLib.models.weights.store import installed

    model = MODELS.get(name)
    if model is not None and model.bundled is None and name not in installed():
        raise InputError(
            _("The weights of {name} are not on this computer; press Fetch or From a file under Model.").format(
                name=name
            )
        )


def _agreesToFetch(name: str) -> bool:
    from SegAnyPETLib.models.weights.registry import find_model

    model = find_model(name)
    address = f"https://huggingface.co/{model.repository}"
    question = _("Fetch the weights of {name} (about 400 MB) from {address}?").format(name=name, address=address)
    terms = model.terms or _("Licence: {licence}.").format(licence=model.licence)
    return bool(slicer.util.confirmOkCancelDisplay(f"{question}\n\n{terms}", _("Fetch weights")))
