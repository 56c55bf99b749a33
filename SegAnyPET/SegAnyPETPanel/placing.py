"""Placing points with the mouse in the slice views."""

import slicer


class Placing:
    """Slicer's place mode for one markups node at a time."""

    @property
    def node(self):
        """The markups node that clicks go to, None where the mouse does something else."""
        interaction = _interactionNode()
        if interaction.GetCurrentInteractionMode() != interaction.Place:
            return None
        return slicer.mrmlScene.GetNodeByID(_selectionNode().GetActivePlaceNodeID() or "")

    def start(self, node):
        """Let every click in a slice view add a point to a node, until `stop`."""
        selection, interaction = _selectionNode(), _interactionNode()
        selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
        selection.SetActivePlaceNodeID(node.GetID())
        interaction.SetPlaceModePersistence(1)
        interaction.SetCurrentInteractionMode(interaction.Place)

    def stop(self):
        """Give the mouse back."""
        interaction = _interactionNode()
        interaction.SetPlaceModePersistence(0)
        interaction.SwitchToViewTransformMode()


def _interactionNode():
    return slicer.app.applicationLogic().GetInteractionNode()


def _selectionNode():
    return slicer.app.applicationLogic().GetSelectionNode()
