"""The buttons for the segment of the selected row: look at it, hide others, reset, rename, lock, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from SegAnyPETLib.mrml.controller import Controller
from SegAnyPETLib.mrml.segment_actions import (
    delete_segment,
    hides_some,
    is_locked,
    rename_segment,
    reset_segment,
    set_locked,
    show_only,
)
from SegAnyPETLib.mrml.segment_jobs import ClickContext
from SegAnyPETPanel.guard import guarded
from SegAnyPETPanel.selection import Selection


class RowActions:
    """Acts on the selected segment.

    Args:
        ui: the widgets by name.
        controller: changes segments.
        selection: the selected segment.
        queueChange: queues what changes the scene, after what the user did before.
    """

    def __init__(
        self,
        ui: Any,
        controller: Controller,
        selection: Selection,
        queueChange: Callable[[Callable[[], None]], None],
    ) -> None:
        self._ui = ui
        self._controller = controller
        self._selection = selection
        self._queueChange = queueChange
        for button, slot in (
            (ui.lookButton, self.onLook),
            (ui.hideOthersButton, self.onHideOthers),
            (ui.resetButton, lambda: self._change(reset_segment)),
            (ui.renameButton, self.onRename),
            (ui.lockButton, self.onLock),
            (ui.deleteButton, lambda: self._change(delete_segment)),
        ):
            button.connect("clicked()", guarded(slot))

    def onLook(self) -> None:
        """Center the slice views on the segment."""
        if self._selection.segmentId is not None:
            self._selection.lookAt(self._selection.segmentId)

    def onHideOthers(self) -> None:
        """Hide the other segments; show all if some are hidden."""
        segmentation, segmentId = self._selection.segmentation, self._selection.segmentId
        if segmentation is not None:
            show_only(segmentation, None if hides_some(segmentation) else segmentId)
            self.showEnabled()

    def onRename(self) -> None:
        """Ask for another name."""
        segmentation, segmentId = self._selection.segmentation, self._selection.segmentId
        if segmentation is None or segmentId is None:
            return
        before = segmentation.GetSegmentation().GetSegment(segmentId).GetName()
        name = qt.QInputDialog.getText(
            slicer.util.mainWindow(), _("Rename"), _("Name of the segment:"), qt.QLineEdit.Normal, before
        )
        if name and name != before:
            self._change(rename_segment, name)

    def onLock(self) -> None:
        """Lock the segment, or unlock it."""
        segmentation, segmentId = self._selection.segmentation, self._selection.segmentId
        if segmentation is not None and segmentId is not None:
            self._change(set_locked, not is_locked(segmentation, segmentId))

    def showEnabled(self) -> None:
        """Enable what can be used, and name what the two-way buttons would do."""
        ui, segmentation, segmentId = self._ui, self._selection.segmentation, self._selection.segmentId
        chosen = segmentation is not None and segmentId in self._selection.segmentIds()
        for button in (ui.lookButton, ui.resetButton, ui.renameButton, ui.lockButton, ui.deleteButton):
            button.enabled = chosen
        hidden = segmentation is not None and hides_some(segmentation)
        ui.hideOthersButton.enabled = chosen or hidden
        ui.hideOthersButton.text = _("Show all") if hidden else _("Hide others")
        ui.lockButton.text = _("Unlock") if chosen and is_locked(segmentation, str(segmentId)) else _("Lock")

    def _change(self, change: Callable[..., None], *arguments: Any) -> None:
        """Queue a change of the segment that is selected when its turn comes."""

        def do() -> None:
            context: ClickContext | None = self._selection.context()
            segmentId = self._selection.segmentId
            if context is not None and context.segmentation is not None and segmentId is not None:
                change(self._controller.editor, context, segmentId, *arguments)

        self._queueChange(do)
