"""Display of PET as it is read: dark where uptake is high, over a fixed range of SUV."""

from __future__ import annotations

from typing import Any

#: SUV that is shown white.
WHITE_SUV = 0.0
#: SUV from which on all is black.
BLACK_SUV = 6.0


def show_as_pet(volume_node: Any) -> None:
    """Show a volume in inverted grey from 0 to 6; only for values in SUV."""
    if volume_node.GetDisplayNode() is None:
        volume_node.CreateDefaultDisplayNodes()
    display = volume_node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeInvertedGrey")
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(WHITE_SUV, BLACK_SUV)
