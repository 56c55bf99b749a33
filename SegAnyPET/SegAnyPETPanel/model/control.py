"""The model that clicks go to: chosen, prepared, replaced, shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from SegAnyPETPanel.actions.action_queue import ActionQueue
from SegAnyPETPanel.guard import guarded
from SegAnyPETPanel.model import packages, requirements
from SegAnyPETPanel.model.choice import SERVER, ModelChoice, saveChoice
from SegAnyPETPanel.model.cpu_fallback import askForCpu
from SegAnyPETPanel.model.model import Model
from SegAnyPETPanel.model.section import ModelSection
from SegAnyPETPanel.model.server import ServerCheck
from SegAnyPETPanel.model.weights import Weights, checkInstalled


class ModelControl:
    """Connects the section "Model" with the queue's model.

    Args:
        ui: the widgets by name.
        queue: holds the model.
        setStatus: shows a sentence.
    """

    def __init__(self, ui: Any, queue: ActionQueue, setStatus: Callable[[str], None]) -> None:
        self._queue = queue
        self._section = ModelSection(ui)
        self._weights = Weights(ui, queue, setStatus)
        self._server = ServerCheck(ui, self._section, queue, setStatus)
        ui.startButton.connect("clicked()", guarded(self.onStart))
        self._section.show(self.model.choice)
        self.show()

    @property
    def model(self) -> Model:
        """The model that clicks go to."""
        return self._queue.model  # type: ignore[return-value]

    def onStart(self) -> None:
        """Start the model with the settings of the panel, and save them."""
        choice = self._section.choice()
        self._queue.cancel()
        self._queue.push(lambda: self.choose(choice), needsModel=False)
        self._queue.start()

    def prepare(self) -> None:
        """Install what the model needs, and check that its weights are there.

        Raises:
            SegAnyPETError: it cannot be started.
        """
        choice = self.model.choice
        if self.model.needsPackages:
            requirements.ensure(choice.location)
            if choice.location != SERVER:
                checkInstalled(choice.model)

    def choose(self, choice: ModelChoice) -> None:
        """Replace the model by one of another choice, and save the choice."""
        saveChoice(choice)
        self.use(self.model.withChoice(choice))

    def use(self, model: Model) -> None:
        """Replace the model while nothing runs; the user's saved choice stays as it is."""
        self.model.close()
        self._queue.model = model
        self._section.show(model.choice)
        self.show()

    def show(self) -> None:
        """Show which model runs where, or what it lacks."""
        model = self.model
        self._section.showState(model, packages.missing(model.choice.location) if model.needsPackages else [])
        self._weights.show()

    def agreesToCpu(self, error: BaseException) -> bool:
        """Ask whether the model may run on the CPU instead, and choose that if so."""
        choice = askForCpu(error, self.model.choice)
        if choice is not None:
            self.choose(choice)
        return choice is not None
