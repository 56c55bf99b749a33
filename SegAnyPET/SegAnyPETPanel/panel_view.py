"""What the panel shows: texts, rows, which buttons are enabled and which are pressed. It changes no node
but the points in the views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from slicer.i18n import tr as _

from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.mrml.controller import Controller
from SegAnyPETLib.mrml.nodes.prompt_markups import PromptMarkups
from SegAnyPETLib.mrml.nodes.suv_volume import ReadingNotes, notes_of
from SegAnyPETLib.mrml.nodes.volumes import other_suv_of, units_of
from SegAnyPETLib.mrml.segment_jobs import BatchJob, ClickContext
from SegAnyPETLib.mrml.target_rows import TargetRow
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.units import SUV_UNITS
from SegAnyPETPanel.actions.errand import Errand
from SegAnyPETPanel.numbers import Numbers
from SegAnyPETPanel.selection import Selection
from SegAnyPETPanel.sentences import notesText, sentence
from SegAnyPETPanel.views.editor_widget import EditorWidgetHistory
from SegAnyPETPanel.views.placing import Placing
from SegAnyPETPanel.views.target_table import TargetTable

#: Steps of the progress bar for work that is counted in bytes.
PROGRESS_STEPS = 1000


class PanelView:
    """The widgets that only show something, and the points in the views.

    Args:
        ui: the widgets by name.
        controller: reads the scene.
        history: the undo steps.
        markups: the points in the views.
        placing: the mouse mode.
        numbers: of the segments.
        onSorted: called when the user sorted the list.

    Attributes:
        showRowActions: enables the buttons for the selected row.
    """

    def __init__(
        self,
        ui: Any,
        controller: Controller,
        history: EditorWidgetHistory,
        markups: PromptMarkups,
        placing: Placing,
        numbers: Numbers,
        onSorted: Callable[[], object],
    ) -> None:
        self._ui = ui
        self._controller = controller
        self._history = history
        self._markups = markups
        self._placing = placing
        self._numbers = numbers
        self.showRowActions: Callable[[], object] = lambda: None
        self._table = TargetTable(ui.targetTable, onSorted)

    def setStatus(self, text: str) -> None:
        """Show what happened last, or what to do."""
        self._ui.statusLabel.text = text

    def showScene(self, selection: Selection) -> None:
        """Show the volume and a row for each segment; a volume that cannot be a PET is refused in the status."""
        context = selection.context()
        rows: Sequence[TargetRow] = ()
        if context is not None:
            try:
                volume = self._controller.volumes.volume_of(context.volume_node)
                rows = () if context.segmentation is None else self._numbers.of(context, volume)
            except SegAnyPETError as error:
                self.setStatus(sentence(error))
        self._showTargets(rows, selection.segmentId, _isSuv(context))
        self._showVolume(context)

    def showPoints(self, selection: Selection) -> None:
        """Show the points of the selected segment in the views."""
        context = selection.context()
        points: Sequence[Point] = ()
        if context is not None and selection.segmentId is not None:
            try:
                points = self._controller.points(context, selection.segmentId)
            except SegAnyPETError as error:
                self.setStatus(sentence(error))
        self._markups.show(None if context is None else context.volume_node, points)

    def showProgress(self, job: object) -> None:
        """Show how many points of a batch or which part of an errand is done; else, that the model is at work."""
        done, total = 0, 0
        if isinstance(job, BatchJob):
            done, total = job.done, len(job.points)
        elif isinstance(job, Errand) and job.total:  # bytes may be more than the bar can count
            done, total = PROGRESS_STEPS * job.done // job.total, PROGRESS_STEPS
        self._ui.progressBar.maximum = total
        self._ui.progressBar.value = done

    def showEnabled(self, selection: Selection, busy: bool, starting: bool) -> None:
        """Enable what can be used.

        Args:
            selection: what clicks go to.
            busy: whether the model runs or is being started.
            starting: whether the start is being prepared, such as by installing packages.
        """
        ui, context = self._ui, selection.context()
        ui.progressBar.visible = ui.cancelButton.enabled = busy
        for button in (ui.positiveButton, ui.negativeButton, ui.nextButton, ui.petLayoutButton):
            button.enabled = context is not None
        ui.petWindowButton.enabled = _isSuv(context)  # its range is one of SUV
        ui.convertButton.enabled = context is not None and not _isSuv(context) and not busy
        canStep = context is not None and context.segmentation is not None and not busy
        ui.undoButton.enabled = canStep and self._history.canUndo
        ui.redoButton.enabled = canStep and self._history.canRedo
        for button in (ui.refineButton, ui.smallerButton, ui.largerButton):
            button.enabled = selection.segmentId is not None
        ui.useFiducialsButton.enabled = context is not None and not busy
        ui.startButton.enabled = not starting
        self._numbers.showEnabled()
        self.showRowActions()
        self.showPlacing()

    def showPlacing(self) -> None:
        """Show which of the two buttons for points is pressed."""
        ui, node = self._ui, self._placing.node
        for button, own in ((ui.positiveButton, self._markups.positive), (ui.negativeButton, self._markups.negative)):
            blocked = button.blockSignals(True)
            button.checked = node is own
            button.blockSignals(blocked)

    def forgetScene(self) -> None:
        """Drop what belongs to a closing scene."""
        self._numbers.forget()

    def _showTargets(self, rows: Sequence[TargetRow], selected: str | None, suv: bool) -> None:
        self._table.show(rows, selected, suv)
        names = [row.name for row in rows if row.segment_id == selected]
        text = _("Clicks go to {name}.").format(name=names[0]) if names else _("The next click begins a new segment.")
        self._ui.targetLabel.text = text

    def _showVolume(self, context: ClickContext | None) -> None:
        suv = _isSuv(context)
        other = None if context is None else other_suv_of(context.volume_node)
        if context is None:
            text = _("Choose a PET.")
        elif suv:
            text = _("The values are SUV (body weight).")
        elif other is not None:
            text = _("Caution: the values are SUV by {kind}. The model expects SUV by body weight.").format(
                kind=_(other)
            )
        else:
            text = _("Caution: this volume does not say that its values are SUV. The model expects SUV.")
        self._ui.suvLabel.text = text
        self._showNotes(context)
        self._ui.suvLabel.styleSheet = "" if suv or context is None else "color: #b35900; font-weight: bold"

    def _showNotes(self, context: ClickContext | None) -> None:
        """Show what the reader doubted or assumed about the values."""
        found = ReadingNotes() if context is None else notes_of(context.volume_node)
        self._ui.notesLabel.text = notesText(found)
        self._ui.notesLabel.visible = bool(self._ui.notesLabel.text)


def _isSuv(context: ClickContext | None) -> bool:
    return context is not None and units_of(context.volume_node) == SUV_UNITS
