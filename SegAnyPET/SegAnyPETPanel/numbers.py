"""The numbers of the segments: measured beside the GUI thread, copied, and exported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.mrml.numbers_table import add_table, records_of, text_of
from SegAnyPETLib.mrml.segment_jobs import ClickContext
from SegAnyPETLib.mrml.target_rows import Measurement, TargetRow, TargetRows
from SegAnyPETLib.volume.units import SUV_UNITS
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETPanel.actions.runner import Runner
from SegAnyPETPanel.guard import guarded
from SegAnyPETPanel.sentences import sentence


class Numbers:
    """Rows of the segments, and the buttons below them.

    Args:
        ui: the widgets by name.
        parent: the widget that owns the timer.
        onMeasured: called when numbers are there that were not.
        setStatus: shows a sentence.
    """

    def __init__(
        self, ui: Any, parent: Any, onMeasured: Callable[[], object], setStatus: Callable[[str], object]
    ) -> None:
        self._ui = ui
        self._rows = TargetRows()
        self._runner = Runner(parent)
        self._onMeasured = onMeasured
        self._setStatus = setStatus
        self._failed: dict[str, tuple[Any, ...]] = {}
        self._shown: tuple[Sequence[TargetRow], bool, str] = ((), False, "")
        for button, slot in (
            (ui.copyButton, self.onCopy),
            (ui.exportButton, self.onExport),
            (ui.tableButton, self.onTable),
        ):
            button.connect("clicked()", guarded(slot))

    @property
    def busy(self) -> bool:
        """Whether segments are being measured."""
        return self._runner.busy

    def of(self, context: ClickContext, volume: Volume) -> list[TargetRow]:
        """Return a row for each segment, and begin to measure those that are not.

        Raises:
            InputError: as `TargetRows.to_measure`.
        """
        rows = self._rows.of(context, volume)
        self._shown = rows, volume.units == SUV_UNITS, context.segmentation.GetName()
        if not self.busy:
            waiting = self._rows.to_measure(context, volume)
            if waiting is not None and waiting.states != self._failed:
                self._runner.start(waiting.run, lambda: self._take(waiting), self._fail(waiting), lambda: None)
        return rows

    def showEnabled(self) -> None:
        """Enable the buttons while all numbers are there."""
        rows, _suv, _name = self._shown
        ready = bool(rows) and all(row.measured for row in rows)
        for button in (self._ui.copyButton, self._ui.exportButton, self._ui.tableButton):
            button.enabled = ready

    def onCopy(self) -> None:
        """Copy the numbers, for a spreadsheet."""
        qt.QApplication.clipboard().setText(text_of(self._records(), "\t"))
        self._setStatus(_("The numbers were copied."))

    def onExport(self) -> None:
        """Write the numbers to a file that the user chooses."""
        records = self._records()  # as they are when the button is pressed
        path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), _("Export the numbers"), "numbers.csv", "*.csv")
        if not path:
            return
        try:
            Path(path).write_text(text_of(records), encoding="utf-8-sig")  # spreadsheets take it for UTF-8 then
        except OSError as error:
            self._setStatus(_("The file cannot be written: {why}.").format(why=error.strerror))
        else:
            self._setStatus(_("The numbers were written to {file}.").format(file=Path(path).name))

    def onTable(self) -> None:
        """Add the numbers to the scene as a table."""
        name = _("{segmentation} numbers").format(segmentation=self._shown[2])
        node = add_table(slicer.mrmlScene, name, self._records())
        logic = slicer.app.applicationLogic()
        logic.GetSelectionNode().SetActiveTableID(node.GetID())
        logic.PropagateTableSelection()
        self._setStatus(_("The numbers are in the table {name}.").format(name=node.GetName()))

    def _records(self) -> list[list[str | float | None]]:
        rows, suv, _name = self._shown
        return records_of(rows, suv)

    def forget(self) -> None:
        """Drop everything, when the scene closes."""
        self._rows.forget()
        self._shown = (), False, ""

    def close(self) -> None:
        """Stop calling back."""
        self._runner.close()

    def _take(self, done: Measurement) -> None:
        self._rows.take(done)
        self._onMeasured()

    def _fail(self, waiting: Measurement) -> Callable[[BaseException], None]:
        def fail(error: BaseException) -> None:
            self._failed = waiting.states  # not again before something has changed
            if not isinstance(error, SegAnyPETError):
                raise error
            self._setStatus(sentence(error))

        return fail
