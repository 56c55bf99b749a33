"""The clicks of one target as markups, which the user places, drags and deletes in the views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from SegAnyPETLib.mrml.nodes.points import place_point, points_of
from SegAnyPETLib.prompts import Point

#: Name, singleton tag and colour of the node of positive points.
POSITIVE = ("In the lesion", "SegAnyPETPositive", (0.1, 0.8, 0.2))
#: The same of the node of negative points.
NEGATIVE = ("Not the lesion", "SegAnyPETNegative", (0.9, 0.1, 0.1))

#: Points closer than this are the same; dragging moves them farther.
TOLERANCE_MM = 1e-3


@dataclass(frozen=True)
class PointChange:
    """A point that the user placed, moved or removed in the views.

    Attributes:
        was: the point before; None for a new one.
        now: the point after, in the RAS frame of the volume; None for one that was removed.
    """

    was: Point | None
    now: Point | None


class PromptMarkups:
    """Two markups nodes of a scene, one for each sign. They are not saved: the segments' tags hold the clicks.

    Args:
        scene: the MRML scene.
    """

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        # By sign and id: ids are unique within a node only.
        self._known: dict[tuple[bool, str], Point] = {}

    @property
    def positive(self) -> Any:
        """The vtkMRMLMarkupsFiducialNode of points in the target."""
        return self._node(*POSITIVE)

    @property
    def negative(self) -> Any:
        """The vtkMRMLMarkupsFiducialNode of points outside the target."""
        return self._node(*NEGATIVE)

    def show_in_slices(self) -> None:
        """Show the points in the slice views of the scene only: where a node is not shown, Slicer places no points.

        A click in a 3D view or in a projection would place one at an unseen depth.
        """
        slices = [
            node.GetID()
            for node in map(self._scene.GetNthNode, range(self._scene.GetNumberOfNodes()))
            if node.IsA("vtkMRMLSliceNode") and not node.GetSlabReconstructionEnabled()
        ]
        for node, _ in self._nodes():
            display = node.GetDisplayNode()
            if list(display.GetViewNodeIDs() or ()) != slices:
                display.SetViewNodeIDs(slices)

    def show(self, volume_node: Any | None, points: Sequence[Point]) -> None:
        """Show these points, which are in the RAS frame of a volume, and no others.

        Points that are shown already stay as they are, and so does one that is being placed.
        """
        self._known = {}
        for node, positive in self._nodes():
            node.SetAndObserveTransformNodeID(None if volume_node is None else volume_node.GetTransformNodeID())
            shown = {} if volume_node is None else points_of(node, volume_node, positive)
            for point in points:
                if point.positive == positive:
                    found = next((key for key, other in shown.items() if _same_position(point, other)), None)
                    shown.pop(found or "", None)
                    self._known[positive, found or place_point(node, volume_node, point)] = point
            kept = {key for sign, key in self._known if sign == positive}
            _remove_others(node, kept)

    def collect_changes(self, volume_node: Any) -> list[PointChange]:
        """Return what the user did since `show` or the last call, except to a point that is still being placed."""
        now = {(sign, key): p for node, sign in self._nodes() for key, p in points_of(node, volume_node, sign).items()}
        found = [PointChange(point, None) for key, point in self._known.items() if key not in now]
        for key, point in now.items():
            was = self._known.get(key)
            if was is None or not _same_position(was, point):
                found.append(PointChange(was, point))
            else:
                now[key] = was  # the saved coordinates: those that came back from the world are rounded
        self._known = now
        return found

    def _nodes(self) -> tuple[tuple[Any, bool], tuple[Any, bool]]:
        return (self.positive, True), (self.negative, False)

    def _node(self, name: str, tag: str, color: tuple[float, float, float]) -> Any:
        node = self._scene.GetSingletonNode(tag, "vtkMRMLMarkupsFiducialNode")
        if node is None:
            made = self._scene.CreateNodeByClass("vtkMRMLMarkupsFiducialNode")
            made.SetSingletonTag(tag)
            node = self._scene.AddNode(made)
            made.UnRegister(None)  # the scene holds it now
        # New, or its display node was removed by a scene close; Slicer gives new ones a display of its own.
        if node.GetSaveWithScene() or node.GetDisplayNode() is None:
            _prepare(node, name, color)
        return node


def index_of(point: Point, points: Sequence[Point]) -> int | None:
    """Return the index of the saved point that was shown or clicked here; None if there is none."""
    for index, other in enumerate(points):
        positions = [other.ras] if other.clicked_ras is None else [other.ras, other.clicked_ras]
        if other.positive == point.positive and point.ras in positions:
            return index
    return None


def _same_position(one: Point, other: Point) -> bool:
    return bool(np.abs(np.subtract(one.ras, other.ras)).max() <= TOLERANCE_MM)


def _remove_others(node: Any, kept: set[str]) -> None:
    """Remove the placed control points of a markups node whose ids are not kept."""
    for index in reversed(range(node.GetNumberOfControlPoints())):
        placed = node.GetNthControlPointPositionStatus(index) == node.PositionDefined
        if placed and node.GetNthControlPointID(index) not in kept:
            node.RemoveNthControlPoint(index)


def _prepare(node: Any, name: str, color: tuple[float, float, float]) -> None:
    """Set up a node of this module: it is neither saved nor offered among the user's own lists of points."""
    node.SetName(name)
    node.SetSaveWithScene(False)
    node.SetHideFromEditors(True)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetSaveWithScene(False)
    for paint in (display.SetColor, display.SetSelectedColor, display.SetActiveColor):
        paint(color)  # under the mouse a point keeps its meaning
    display.SetTextScale(0)
