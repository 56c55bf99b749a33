"""Which changes of the scene the panel reacts to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import slicer
import vtk
from slicer.util import VTKObservationMixin


class SceneWatch(VTKObservationMixin):
    """Observes a volume, a segmentation, the points in the views and the mouse mode.

    Args:
        onChange: called when volume, segments or the editor's choice of nodes change; often several times for one edit.
        onPoints: called when points were placed, dragged or deleted.
        onMode: called when the mouse mode or the list that it adds points to changes.
    """

    def __init__(
        self, onChange: Callable[[], object], onPoints: Callable[[], object], onMode: Callable[[], object]
    ) -> None:
        VTKObservationMixin.__init__(self)
        self._onChange = onChange
        self._onPoints = onPoints
        self._onMode = onMode

    def watch(self, volume: Any | None, segmentation: Any | None, editor: Any, markups: Sequence[Any]) -> None:
        """Observe these nodes and no others.

        Args:
            volume: the PET.
            segmentation: the masks.
            editor: the vtkMRMLSegmentEditorNode; its widget chooses other nodes by itself when the scene changes.
            markups: the lists of points.
        """
        self.end()
        logic = slicer.app.applicationLogic()
        interaction, selection = logic.GetInteractionNode(), logic.GetSelectionNode()
        self.addObserver(interaction, interaction.InteractionModeChangedEvent, self._modeChanged)
        # The mode stays "place" when clicks go to another list.
        self.addObserver(selection, selection.ActivePlaceNodeIDChangedEvent, self._modeChanged)
        self.addObserver(editor, vtk.vtkCommand.ModifiedEvent, self._changed)
        for node in markups:
            for event in (node.PointPositionDefinedEvent, node.PointRemovedEvent, node.PointEndInteractionEvent):
                self.addObserver(node, event, self._pointsChanged)
        if volume is not None:
            self.addObserver(volume, vtk.vtkCommand.ModifiedEvent, self._changed)
            self.addObserver(volume, volume.ImageDataModifiedEvent, self._changed)
            self.addObserver(volume, volume.TransformModifiedEvent, self._changed)
        if segmentation is not None:
            segments = segmentation.GetSegmentation()
            for event in (
                segments.SegmentAdded,
                segments.SegmentRemoved,
                segments.SegmentModified,
                segments.SourceRepresentationModified,
            ):
                self.addObserver(segments, event, self._changed)

    def end(self) -> None:
        """Observe nothing."""
        self.removeObservers()

    def _changed(self, caller: Any, event: Any, calldata: Any = None) -> None:
        self._onChange()

    def _pointsChanged(self, caller: Any, event: Any, calldata: Any = None) -> None:
        self._onPoints()

    def _modeChanged(self, caller: Any, event: Any, calldata: Any = None) -> None:
        self._onMode()
