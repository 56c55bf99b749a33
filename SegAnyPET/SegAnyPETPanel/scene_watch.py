"""Which changes of the scene the panel hears of."""

import slicer
import vtk
from slicer.util import VTKObservationMixin


class SceneWatch(VTKObservationMixin):
    """Observes a volume, a segmentation and the points in the views.

    Args:
        onChange: called where volume or segments have changed; often several times for one edit.
        onPoints: called where points were placed, dragged or deleted.
        onMode: called where the mouse does something else.
    """

    def __init__(self, onChange, onPoints, onMode):
        VTKObservationMixin.__init__(self)
        self._onChange, self._onPoints, self._onMode = onChange, onPoints, onMode

    def watch(self, volume, segmentation, markups):
        """Observe these nodes, and no others; volume and segmentation may be None."""
        self.end()
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        self.addObserver(interaction, interaction.InteractionModeChangedEvent, self._modeChanged)
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

    def end(self):
        """Observe nothing."""
        self.removeObservers()

    def _changed(self, caller, event, calldata=None):
        self._onChange()

    def _pointsChanged(self, caller, event, calldata=None):
        self._onPoints()

    def _modeChanged(self, caller, event, calldata=None):
        self._onMode()
