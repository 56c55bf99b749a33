"""Show the PET that is chosen, and a layout of views to read it in."""

from __future__ import annotations

from typing import Any

import slicer
import slicer.util

from SegAnyPETLib.mrml.nodes.pet_layout import LAYOUT, add_layout, show_in_layout
from SegAnyPETLib.mrml.nodes.pet_window import show_as_pet
from SegAnyPETLib.mrml.nodes.prompt_markups import PromptMarkups
from SegAnyPETLib.mrml.nodes.volumes import units_of
from SegAnyPETLib.volume.units import SUV_UNITS


def showPet(volume: Any) -> None:
    """Show a volume in all slice views, unless one shows it already; SUV as PET is read, unless its window was set."""
    shown = [
        volume_id
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        for volume_id in (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID())
    ]
    if volume.GetID() in shown or volume.GetImageData() is None:
        return
    display = volume.GetDisplayNode()
    if units_of(volume) == SUV_UNITS and (display is None or display.GetAutoWindowLevel()):
        show_as_pet(volume)
    slicer.util.setSliceViewerLayers(background=volume, fit=True)


def showPetLayout(volume: Any, markups: PromptMarkups) -> None:
    """Show a volume in axial and coronal slices and a projection, over a CT if there is one.

    Args:
        volume: the PET.
        markups: the points in the views; none are placed in the projection.
    """
    manager = slicer.app.layoutManager()
    add_layout(manager.layoutLogic().GetLayoutNode())
    manager.setLayout(LAYOUT)
    show_in_layout(slicer.mrmlScene, volume)
    manager.resetSliceViews()
    markups.show_in_slices()
