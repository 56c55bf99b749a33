"""The part of the panel about the model: what the user chooses, and what runs."""

from slicer.i18n import tr as _

from SegAnyPETPanel.model_choice import PLACES, SERVER, ModelChoice


class ModelSection:
    """Choice and state of the model.

    Args:
        ui: the widgets by their names.
    """

    def __init__(self, ui):
        self._ui = ui
        ui.placeSelector.connect("currentIndexChanged(int)", lambda index: self._showNeeded())

    def show(self, choice):
        """Show a choice."""
        ui = self._ui
        ui.modelSelector.currentText = choice.model
        ui.placeSelector.currentIndex = PLACES.index(choice.place)
        ui.deviceSelector.currentText = choice.device
        ui.serverEdit.text = choice.server
        self._showNeeded()

    def choice(self):
        """What the user chose."""
        ui = self._ui
        return ModelChoice(
            ui.modelSelector.currentText,
            PLACES[ui.placeSelector.currentIndex],
            ui.deviceSelector.currentText,
            ui.serverEdit.text.strip(),
            ui.tokenEdit.text.strip(),
        )

    def showState(self, model, lacking):
        """Say in one line which model runs where, or what it lacks."""
        choice, running = model.choice, model.running
        place = self._ui.placeSelector.itemText(PLACES.index(choice.place))
        if running is not None:
            text = _("Model: {model} on {device}, {place}.").format(
                model=running.spec.name, device=running.device, place=place
            )
        elif lacking:
            text = _("Model: {model}. It needs {packages}; the first click asks to install them.").format(
                model=choice.model, packages=", ".join(lacking)
            )
        elif choice.place == SERVER:
            text = _("Model: {model} {place}; the first click connects to it.").format(model=choice.model, place=place)
        else:
            text = _("Model: {model} on {device}, {place}; the first click starts it.").format(
                model=choice.model, device=choice.device, place=place
            )
        self._ui.modelLabel.text = text

    def _showNeeded(self):
        atServer = PLACES[self._ui.placeSelector.currentIndex] == SERVER
        self._ui.serverEdit.enabled = self._ui.tokenEdit.enabled = atServer
        self._ui.deviceSelector.enabled = not atServer
