"""The clicks of one target as markups: where they are seen in the slice views, placed, dragged and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from SegAnyPETLib.mrml.points import place_point, points_of
from SegAnyPETLib.prompts import Point

#: Names, singleton tags and colours of the nodes of positive and of negative points.
POSITIVE = ("In the lesion", "SegAnyPETPositive", (0.1, 0.8, 0.2))
NEGATIVE = ("Not the lesion", "SegAnyPETNegative", (0.9, 0.1, 0.1))

#: Points that differ less are the same; dragging moves them farther.
TOLERANCE_MM = 1e-3


@dataclass(frozen=True)
class Change:
    """What the user did to a point in the views.

    Attributes:
        was: the point as it was known before; None for a new one.
        now: where it is now, in the RAS frame of the volume; None for one that was removed.
    """

    was: Point | None
    now: Point | None


class PromptMarkups:
    """Two markups nodes of a scene, one for each sign. The segments' tags hold what is saved; these nodes are not.

    Args:
        scene: the MRML scene.
    """

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        # By sign and id: ids are those of a node, and both nodes count from 1.
        self._known: dict[tuple[bool, str], Point] = {}

    @property
    def positive(self) -> Any:
        """The vtkMRMLMarkupsFiducialNode of points in the target."""
        return self._node(*POSITIVE)

    @property
    def negative(self) -> Any:
        """The vtkMRMLMarkupsFiducialNode of points outside the target."""
        return self._node(*NEGATIVE)

    def show(self, volume_node: Any | None, points: Sequence[Point]) -> None:
        """Show these points, which are in the RAS frame of a volume, and no others.

        Points that are there already stay as they are, and so does one that is just being placed.
        """
        self._known = {}
        for node, positive in self._nodes():
            node.SetAndObserveTransformNodeID(None if volume_node is None else volume_node.GetTransformNodeID())
            there = {} if volume_node is None else points_of(node, volume_node, positive)
            for point in points:
                if point.positive == positive:
                    found = next((key for key, other in there.items() if _same_place(point, other)), None)
                    there.pop(found or "", None)
                    self._known[positive, found or place_point(node, volume_node, point)] = point
            kept = {key for sign, key in self._known if sign == positive}
            _remove_others(node, kept)

    def take(self, volume_node: Any) -> list[Change]:
        """What the user did since `show` or the last call; the points that are being placed do not count."""
        now = {(sign, key): p for node, sign in self._nodes() for key, p in points_of(node, volume_node, sign).items()}
        found = [Change(point, None) for key, point in self._known.items() if key not in now]
        for key, point in now.items():
            was = self._known.get(key)
            if was is None or not _same_place(was, point):
                found.append(Change(was, point))
            else:
                now[key] = was  # it also knows from where it was snapped
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
        # A new one, or one whose looks went when a scene was closed; Slicer itself gives new ones looks of its own.
        if node.GetSaveWithScene() or node.GetDisplayNode() is None:
            _prepare(node, name, color)
        return node


def number_of(point: Point, points: Sequence[Point]) -> int | None:
    """Which of a target's points is the one that was shown or placed here, from 0; None for none of them."""
    for number, other in enumerate(points):
        places = [other.ras] if other.clicked_ras is None else [other.ras, other.clicked_ras]
        if other.positive == point.positive and point.ras in places:
            return number
    return None


def _same_place(one: Point, other: Point) -> bool:
    return bool(np.abs(np.subtract(one.ras, other.ras)).max() <= TOLERANCE_MM)


def _remove_others(node: Any, kept: set[str]) -> None:
    """Remove the placed control points of a markups node but for some."""
    for index in reversed(range(node.GetNumberOfControlPoints())):
        placed = node.GetNthControlPointPositionStatus(index) == node.PositionDefined
        if placed and node.GetNthControlPointID(index) not in kept:
            node.RemoveNthControlPoint(index)


def _prepare(node: Any, name: str, color: tuple[float, float, float]) -> None:
    """Name and show a node of this module's; it is neither saved nor offered among the user's own lists of points."""
    node.SetName(name)
    node.SetSaveWithScene(False)
    node.SetHideFromEditors(True)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetSaveWithScene(False)
    for paint in (display.SetColor, display.SetSelectedColor, display.SetActiveColor):
        paint(color)  # under the mouse a point keeps its meaning
    display.SetTextScale(0)
