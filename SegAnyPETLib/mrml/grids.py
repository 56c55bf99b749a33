"""The grid of a volume node."""

from __future__ import annotations

from typing import Any

from SegAnyPETLib.mrml.volumes import ijk_to_ras
from SegAnyPETLib.volume.grid import Grid


def grid_of(volume_node: Any) -> Grid:
    """Return the grid of a vtkMRMLScalarVolumeNode, in the node's own RAS frame."""
    i, j, k = volume_node.GetImageData().GetDimensions()
    return Grid((k, j, i), tuple(map(tuple, ijk_to_ras(volume_node).tolist())))
