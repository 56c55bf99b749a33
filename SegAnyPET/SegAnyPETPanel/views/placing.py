"""Placing points with the mouse in the views."""

from __future__ import annotations

from typing import Any

import slicer


class Placing:
    """Slicer's place mode for one markups node at a time."""

    @property
    def node(self) -> Any | None:
        """The markups node that clicks are added to, None if place mode is off."""
        interaction = _interactionNode()
        if interaction.GetCurrentInteractionMode() != interaction.Place:
            return None
        return slicer.mrmlScene.GetNodeByID(_selectionNode().GetActivePlaceNodeID() or "")

    def start(self, node: Any) -> None:
        """Add a point to a markups node at every click in a view, until `stop`."""
        selection, interaction = _selectionNode(), _interactionNode()
        selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
        selection.SetActivePlaceNodeID(node.GetID())
        interaction.SetPlaceModePersistence(1)
        interaction.SetCurrentInteractionMode(interaction.Place)

    def stop(self) -> None:
        """End place mode."""
        interaction = _interactionNode()
        interaction.SetPlaceModePersistence(0)
        interaction.SwitchToViewTransformMode()


def _interactionNode() -> Any:
    return slicer.app.applicationLogic().GetInteractionNode()


def _selectionNode() -> Any:
    return slicer.app.applicationLogic().GetSelectionNode()
