"""Convert control points of markups to and from points in the frame of a volume."""

from __future__ import annotations

from typing import Any

import numpy as np
import vtk

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.nodes.frames import world_to
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume, apply_matrix


def points_of(markups: Any, volume_node: Any, positive: bool = True) -> dict[str, Point]:
    """Return the placed control points of a markups node by id, in their order.

    Args:
        markups: a vtkMRMLMarkupsNode, which may lie under transforms of its own.
        volume_node: the points are in its RAS frame.
        positive: whether they mark the target.

    Raises:
        InputError: a transform above the volume is not linear.
    """
    world_to_volume = world_to(volume_node)
    points = {}
    for index in range(markups.GetNumberOfControlPoints()):
        if markups.GetNthControlPointPositionStatus(index) == markups.PositionDefined:
            ras = apply_matrix(world_to_volume, markups.GetNthControlPointPositionWorld(index))
            points[markups.GetNthControlPointID(index)] = Point((ras[0], ras[1], ras[2]), positive)
    return points


def place_point(markups: Any, volume_node: Any, point: Point, label: str = "") -> str:
    """Add a point in a volume's frame to a markups node; return the id of its control point.

    Raises:
        InputError: a transform above the volume is not linear.
    """
    world = apply_matrix(np.linalg.inv(world_to(volume_node)), point.ras)
    index = markups.AddControlPointWorld(vtk.vtkVector3d(*world), label)
    return str(markups.GetNthControlPointID(index))


def check_point(point: Point, volume: Volume) -> None:
    """Refuse a point at which nothing can be segmented, before the model is asked.

    Raises:
        InputError: it lies outside the image or on a voxel without a finite value.
    """
    try:
        index = volume.nearest_kji(point.ras)
    except InputError:
        raise InputError("the point lies outside the PET image; place it inside") from None
    if not np.isfinite(volume.array_kji[index]):
        raise InputError("the PET has no value at the point; place it inside the scanned region")
