"""The clicks of one target as markups: where they are seen in the slice views, placed, dragged and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
        kind: of the act.
        number: of the point among those shown, from 0; None for a new one.
        point: where it is now, in the RAS frame of the volume; None for one that was removed.
    """

    kind: Literal["added", "moved", "removed"]
    number: int | None
    point: Point | None


class PromptMarkups:
    """Two markups nodes of a scene, one for each sign. The segments' tags hold what is saved; these nodes are not.

    Args:
        scene: the MRML scene.
    """

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        # By sign and id: ids are those of a node, and both nodes count from 1.
        self._shown: dict[tuple[bool, str], tuple[int, Point]] = {}

    @property
    def positive(self) -> Any:
        """The vtkMRMLMarkupsFiducialNode of points in the target."""
        return self._node(*POSITIVE)

    @property
    def negative(self) -> Any:
        """The vtkMRMLMarkupsFiducialNode of points outside the target."""
        return self._node(*NEGATIVE)

    def show(self, volume_node: Any | None, points: Sequence[Point]) -> None:
        """Show these points, which are in the RAS frame of a volume, and no others."""
        self._shown = {}
        for node in (self.positive, self.negative):
            node.RemoveAllControlPoints()
            node.SetAndObserveTransformNodeID(None if volume_node is None else volume_node.GetTransformNodeID())
        for number, point in enumerate(points):
            node = self.positive if point.positive else self.negative
            self._shown[point.positive, place_point(node, volume_node, point)] = number, point

    def changes(self, volume_node: Any) -> list[Change]:
        """What the user did since `show`; the points that are being placed do not count."""
        nodes = ((self.positive, True), (self.negative, False))
        now = {(sign, key): p for node, sign in nodes for key, p in points_of(node, volume_node, sign).items()}
        found = [Change("removed", number, None) for key, (number, _) in self._shown.items() if key not in now]
        for key, point in now.items():
            if key not in self._shown:
                found.append(Change("added", None, point))
            elif np.abs(np.subtract(point.ras, self._shown[key][1].ras)).max() > TOLERANCE_MM:
                found.append(Change("moved", self._shown[key][0], point))
        return found

    def _node(self, name: str, tag: str, color: tuple[float, float, float]) -> Any:
        node = self._scene.GetSingletonNode(tag, "vtkMRMLMarkupsFiducialNode")
        if node is None:
            node = self._scene.CreateNodeByClass("vtkMRMLMarkupsFiducialNode")
            node.SetSingletonTag(tag)
            node.SetName(name)
            node.SetSaveWithScene(False)
            kept = self._scene.AddNode(node)
            node.UnRegister(None)  # the scene holds it now
            node = kept
            node.CreateDefaultDisplayNodes()
            display = node.GetDisplayNode()
            display.SetSaveWithScene(False)
            display.SetColor(color)
            display.SetSelectedColor(color)
            display.SetTextScale(0)
        return node
