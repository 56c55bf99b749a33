"""Matrices between the world and the RAS frames of nodes, which may lie under transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError


def world_to(node: Any) -> NDArray[np.float64]:
    """Return the 4x4 matrix from world RAS mm to the RAS mm of a node.

    Args:
        node: any vtkMRMLTransformableNode.

    Raises:
        InputError: a transform above the node is not linear.
    """
    return _between(None, node.GetParentTransformNode())


def between(source: Any, target: Any) -> NDArray[np.float64]:
    """Return the 4x4 matrix from one node's RAS mm to another's; exactly the unit matrix under the same transform.

    Raises:
        InputError: a transform above one of the nodes is not linear.
    """
    return _between(source.GetParentTransformNode(), target.GetParentTransformNode())


def to_vtk(matrix: NDArray) -> vtk.vtkMatrix4x4:
    """Return a 4x4 array as a VTK matrix."""
    result = vtk.vtkMatrix4x4()
    result.DeepCopy(matrix.ravel().tolist())
    return result


def from_vtk(matrix: vtk.vtkMatrix4x4) -> NDArray[np.float64]:
    """Return a VTK matrix as a 4x4 array."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def _between(source: Any, target: Any) -> NDArray[np.float64]:
    if source is target:
        return np.eye(4)
    matrix = vtk.vtkMatrix4x4()
    if not all(each is None or each.IsTransformToWorldLinear() for each in (source, target)):
        raise InputError("a warping (non-linear) transform lies above the image; harden it or take the image out of it")
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(source, target, matrix)
    return from_vtk(matrix)
