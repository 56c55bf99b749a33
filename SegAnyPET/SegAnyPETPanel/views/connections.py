"""Which widget calls what of the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SegAnyPETLib.mrml.nodes.pet_window import show_as_pet
from SegAnyPETPanel.guard import guarded
from SegAnyPETPanel.views.pet_views import showPetLayout

if TYPE_CHECKING:
    from SegAnyPETPanel.panel import Panel


def connect(ui: Any, panel: Panel) -> None:
    """Connect the widgets of the .ui file with the panel."""
    ui.positiveButton.connect("toggled(bool)", guarded(lambda on: panel.onPlace(True, on)))
    ui.negativeButton.connect("toggled(bool)", guarded(lambda on: panel.onPlace(False, on)))
    for button, slot in (
        (ui.nextButton, panel.onNextLesion),
        (ui.refineButton, panel.onRefine),
        (ui.smallerButton, lambda: panel.onResize(False)),
        (ui.largerButton, lambda: panel.onResize(True)),
        (ui.undoButton, panel.onUndo),
        (ui.redoButton, panel.onRedo),
        (ui.cancelButton, panel.onCancel),
        (ui.useFiducialsButton, panel.onUseFiducials),
        (ui.petWindowButton, lambda: show_as_pet(panel.selection.volume)),
        (ui.petLayoutButton, lambda: showPetLayout(panel.selection.volume, panel.markups)),
    ):
        button.connect("clicked()", guarded(slot))
    ui.targetTable.connect("itemSelectionChanged()", guarded(panel.onRowSelected))
