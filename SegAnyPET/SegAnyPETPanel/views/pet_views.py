"""Show the PET that is chosen."""

from __future__ import annotations

from typing import Any

import slicer.util

from SegAnyPETLib.mrml.nodes.pet_window import show_as_pet
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
