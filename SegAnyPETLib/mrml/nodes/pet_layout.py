"""A layout of views for reading PET: axial, coronal, and a coronal projection of the largest values."""

from __future__ import annotations

from typing import Any

import vtk

#: Number of the layout; those below 500 or so are Slicer's own.
LAYOUT = 5371
#: Name of the slice view with the projection.
PROJECTION = "SegAnyPETProjection"
_VIEW = (
    '<item><view class="vtkMRMLSliceNode" singletontag="{tag}"><property name="orientation" action="default">'
    '{orientation}</property><property name="viewlabel" action="default">{label}</property>'
    '<property name="viewcolor" action="default">{color}</property></view></item>'
)
_VIEWS = (
    ("Red", "Axial", "R", "#F34A33"),
    ("Green", "Coronal", "G", "#6EB04B"),
    (PROJECTION, "Coronal", "MIP", "#8C8C8C"),
)
DESCRIPTION = (
    '<layout type="horizontal" split="true">'
    + "".join(_VIEW.format(tag=tag, orientation=plane, label=label, color=color) for tag, plane, label, color in _VIEWS)
    + "</layout>"
)
#: Code of Hounsfield units (UCUM), which Slicer's DICOM reader gives to CT.
HOUNSFIELD = "[hnsf'U]"
#: Of the PET over the CT.
OPACITY = 0.5


def add_layout(layout_node: Any) -> None:
    """Make the layout known to a vtkMRMLLayoutNode."""
    if not layout_node.IsLayoutDescription(LAYOUT):
        layout_node.AddLayoutDescription(LAYOUT, DESCRIPTION)


def show_in_layout(scene: Any, volume_node: Any) -> None:
    """Show a PET in the views of the layout, over a CT if the scene has one, and project it in the view for that."""
    ct = first_ct(scene)
    for composite in _nodes(scene, "vtkMRMLSliceCompositeNode"):
        below = None if composite.GetLayoutName() == PROJECTION else ct
        composite.SetBackgroundVolumeID((below or volume_node).GetID())
        composite.SetForegroundVolumeID(None if below is None else volume_node.GetID())
        composite.SetForegroundOpacity(0.0 if below is None else OPACITY)
    projection = next((n for n in _nodes(scene, "vtkMRMLSliceNode") if n.GetLayoutName() == PROJECTION), None)
    if projection is not None:
        project(projection, volume_node)


def project(slice_node: Any, volume_node: Any) -> None:
    """Let a coronal slice view show, at each point, the largest value in front of it and behind it."""
    bounds = [0.0] * 6
    volume_node.GetRASBounds(bounds)
    center = [(bounds[2 * axis] + bounds[2 * axis + 1]) / 2 for axis in range(3)]
    slice_node.SetOrientation("Coronal")
    slice_node.JumpSliceByCentering(*center)
    slice_node.SetSlabReconstructionType(vtk.VTK_IMAGE_SLAB_MAX)
    slice_node.SetSlabReconstructionThickness(bounds[3] - bounds[2])
    slice_node.SetSlabReconstructionEnabled(True)


def first_ct(scene: Any) -> Any | None:
    """Return the first volume node of a scene in Hounsfield units, or None."""
    for node in _nodes(scene, "vtkMRMLScalarVolumeNode"):
        units = node.GetVoxelValueUnits()
        if units is not None and units.GetCodeValue() == HOUNSFIELD:
            return node
    return None


def _nodes(scene: Any, class_name: str) -> list[Any]:
    return [scene.GetNthNodeByClass(n, class_name) for n in range(scene.GetNumberOfNodesByClass(class_name))]
