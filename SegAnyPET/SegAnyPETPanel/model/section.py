"""The section "Model" of the panel: the user's choice, and which model runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slicer.i18n import tr as _

from SegAnyPETPanel.model.choice import LOCATIONS, SERVER, ModelChoice
from SegAnyPETPanel.model.model import Model
from SegAnyPETPanel.model.packages import Lack


class ModelSection:
    """Choice and state of the model.

    Args:
        ui: the widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        ui.locationSelector.connect("currentIndexChanged(int)", lambda index: self._enableFields())

    def show(self, choice: ModelChoice) -> None:
        """Show a choice; the token stays as the user entered it."""
        ui = self._ui
        ui.modelSelector.currentText = choice.model
        ui.locationSelector.currentIndex = LOCATIONS.index(choice.location)
        ui.deviceSelector.currentText = choice.device
        ui.serverEdit.text = choice.server
        ui.certificateEdit.text = choice.certificate
        self._enableFields()

    def choice(self) -> ModelChoice:
        """Return the user's choice."""
        ui = self._ui
        return ModelChoice(
            ui.modelSelector.currentText,
            LOCATIONS[ui.locationSelector.currentIndex],
            ui.deviceSelector.currentText,
            ui.serverEdit.text.strip(),
            ui.tokenEdit.text.strip(),
            ui.certificateEdit.text.strip(),
        )

    def showState(self, model: Model, missing: Sequence[Lack]) -> None:
        """Show in one line which model runs where, or which packages it needs.

        Args:
            model: the model.
            missing: the packages that have to be installed.
        """
        choice, backend = model.choice, model.backend
        location = self._ui.locationSelector.itemText(LOCATIONS.index(choice.location))
        if backend is not None:
            text = _("Model: {model} on {device}, {place}.").format(
                model=backend.spec.name, device=backend.device, place=location
            )
        elif missing:
            text = _("Model: {model}. It needs {packages}; the first click asks to install them.").format(
                model=choice.model, packages=", ".join(map(str, missing))
            )
        elif choice.location == SERVER:
            text = _("Model: {model} {place}; the first click connects to it.").format(
                model=choice.model, place=location
            )
        else:
            text = _("Model: {model} on {device}, {place}; the first click starts it.").format(
                model=choice.model, device=choice.device, place=location
            )
        self._ui.modelLabel.text = text

    def _enableFields(self) -> None:
        atServer = LOCATIONS[self._ui.locationSelector.currentIndex] == SERVER
        ui = self._ui
        for widget in (ui.serverEdit, ui.tokenEdit, ui.certificateRow, ui.testServerButton):
            widget.enabled = atServer
        ui.deviceSelector.enabled = not atServer
