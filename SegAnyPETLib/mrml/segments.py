"""Read segments as masks on a volume's grid, and write them.

Masks are written as the Segment Editor's effects write theirs, so that its overwrite mode, masking and undo hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.editor import SegmentEditor
from SegAnyPETLib.mrml.nodes.frames import between, to_vtk
from SegAnyPETLib.mrml.nodes.labelmaps import (
    Extent,
    box_of,
    extent_of,
    image_of,
    is_empty,
    matrix_of,
    patch_of,
    resampled,
    same_grid,
    union,
)
from SegAnyPETLib.mrml.nodes.volumes import ijk_to_ras
from SegAnyPETLib.volume.patch import MaskPatch

LABELMAP = "Binary labelmap"


def segment_of(segmentation: Any, segment_id: str) -> Any:
    """Return a vtkSegment of a segmentation node.

    Raises:
        InputError: it does not exist.
    """
    segment = segmentation.GetSegmentation().GetSegment(segment_id)
    if segment is None:
        raise InputError("the segment is no longer there; choose another one")
    return segment


def read_mask(segmentation: Any, segment_id: str, volume_node: Any) -> MaskPatch:
    """Return a segment as a mask on the grid of a volume.

    Args:
        segmentation: a vtkMRMLSegmentationNode; its grid and its transforms may differ from the volume's.
        segment_id: painted or imported; surfaces are filled, and label maps may be shared with other segments.
        volume_node: a vtkMRMLScalarVolumeNode.

    Returns:
        The voxels of the volume whose centres lie in the segment.

    Raises:
        InputError: there is no such segment, it cannot be filled, or one of the nodes lies under a warping transform.
    """
    image, label = _labelmap(segmentation, segment_id)
    if is_empty(image):
        return MaskPatch.empty()
    moved_by, grid, bounds = between(segmentation, volume_node), ijk_to_ras(volume_node), _bounds(volume_node)
    if same_grid(moved_by @ matrix_of(image), grid, image.GetExtent()):
        return _clipped(patch_of(image, label), bounds)
    own = image_of(patch_of(image, label), matrix_of(image))
    return patch_of(resampled(own, moved_by, grid, bounds))


def replace_mask(
    editor: SegmentEditor, segmentation: Any, segment_id: str, mask: MaskPatch, volume_node: Any
) -> MaskPatch:
    """Replace a segment's voxels by a mask as far as the editor's masking allows; save no undo state.

    Other segments lose voxels only if the editor's overwrite mode says so.

    Args:
        editor: its settings hold.
        segmentation: a vtkMRMLSegmentationNode whose source is label maps.
        segment_id: of the segment to change.
        mask: on the grid of the volume.
        volume_node: a vtkMRMLScalarVolumeNode.

    Returns:
        The mask that the segment has now, on the grid of the volume.

    Raises:
        InputError: there is no such segment, the segmentation is made of surfaces, or one of the nodes lies under a
            warping transform.
    """
    segment = segment_of(segmentation, segment_id)
    check_writable(segmentation)
    moved_by = between(volume_node, segmentation)
    editor.select(segmentation, volume_node)
    grid = _reference_grid(editor, segmentation, volume_node)
    _own_labelmap(segmentation, segment_id, segment, grid)
    new = _on_grid(mask, volume_node, moved_by, grid)
    _extend_reference(editor, segmentation, grid, extent_of(new))
    modifier = image_of(new, grid, _with_old(editor, segment, extent_of(new)))
    selected = editor.node.GetSelectedSegmentID()
    editor.node.SetSelectedSegmentID(segment_id)  # masking always allows the selected segment's own voxels
    logic = editor.logic
    logic.ModifySegmentByLabelmap(segmentation, segment_id, modifier, logic.ModificationModeSet, False, False)
    editor.node.SetSelectedSegmentID(selected)
    return read_mask(segmentation, segment_id, volume_node)


def check_writable(segmentation: Any) -> None:
    """Refuse a segmentation that the Segment Editor could only edit after a conversion.

    Raises:
        InputError: it is made of surfaces or contours.
    """
    data = segmentation.GetSegmentation()
    if data.GetNumberOfSegments() and data.GetSourceRepresentationName() != LABELMAP:
        raise InputError(
            "the segmentation is made of surfaces; convert it to a binary labelmap in the Segmentations module first"
        )


def _labelmap(segmentation: Any, segment_id: str) -> tuple[Any, int]:
    """Return the image that holds a segment, and the segment's label in it; a surface is filled on the fly."""
    segment = segment_of(segmentation, segment_id)
    image = segment.GetRepresentation(LABELMAP)
    if image is not None:
        return image, segment.GetLabelValue()
    image = slicer.vtkOrientedImageData()
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if not logic.GetSegmentBinaryLabelmapRepresentation(segmentation, segment_id, image, False):
        raise InputError("the segment cannot be turned into voxels; convert it to a binary labelmap first")
    return image, 1


def _own_labelmap(segmentation: Any, segment_id: str, segment: Any, grid: NDArray) -> None:
    """Give a segment a label map of its own on a grid, cropped to the segment.

    Segments that shared its label map are unchanged, and writing takes milliseconds even if that map spans the body.
    """
    data = segmentation.GetSegmentation()
    image = segment.GetRepresentation(LABELMAP)
    shared = len(data.GetSegmentIDsForLayer(data.GetLayerIndex(segment_id))) > 1
    if not shared and (is_empty(image) or same_grid(matrix_of(image), grid, image.GetExtent())):
        return
    own = image_of(patch_of(image, segment.GetLabelValue()), matrix_of(image))
    if shared:
        data.SeparateSegmentLabelmap(segment_id)
    if not same_grid(matrix_of(own), grid, own.GetExtent()):
        own = resampled(own, np.eye(4), grid)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetBinaryLabelmapToSegment(own, segmentation, segment_id, logic.MODE_REPLACE)


def _on_grid(mask: MaskPatch, volume_node: Any, moved_by: NDArray, grid: NDArray) -> MaskPatch:
    """Return a mask on the grid of a volume, resampled to that of the segmentation."""
    matrix = ijk_to_ras(volume_node)
    if same_grid(moved_by @ matrix, grid, extent_of(mask)):
        return mask
    return patch_of(resampled(image_of(mask, matrix), moved_by, grid))


def _reference_grid(editor: SegmentEditor, segmentation: Any, volume_node: Any) -> NDArray:
    """Return the matrix of the editor's grid; it is set to the volume's if none was set."""
    if not editor.logic.GetReferenceImageGeometryStringFromSegmentation(segmentation.GetSegmentation()):
        segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    editor.logic.UpdateReferenceGeometryImage()
    return matrix_of(editor.logic.GetReferenceGeometryImage())


def _extend_reference(editor: SegmentEditor, segmentation: Any, grid: NDArray, extent: Extent) -> None:
    """Extend the editor's grid to the new voxels, since masking ends with it."""
    before = editor.logic.GetReferenceGeometryImage().GetExtent()
    after = union(before, extent)
    if after != tuple(before):
        converter = slicer.vtkSegmentationConverter
        segmentation.GetSegmentation().SetConversionParameter(
            converter.GetReferenceImageGeometryParameterName(), converter.SerializeImageGeometry(to_vtk(grid), after)
        )


def _with_old(editor: SegmentEditor, segment: Any, extent: Extent) -> Extent:
    """Extend an extent by the current segment if masking is on, which only clears voxels inside the extent."""
    image = segment.GetRepresentation(LABELMAP)
    return extent if is_empty(image) or not editor.masks else union(extent, image.GetExtent())


def _bounds(volume_node: Any) -> Extent:
    i, j, k = volume_node.GetImageData().GetDimensions()
    return 0, i - 1, 0, j - 1, 0, k - 1


def _clipped(mask: MaskPatch, bounds: Extent) -> MaskPatch:
    """Clip a mask to the grid; segments may reach beyond it."""
    if not mask.voxels:
        return mask
    inside = mask.box.meet(box_of(bounds))
    if inside == mask.box:
        return mask
    return MaskPatch.cropped(mask.array_kji[inside.relative_to(mask.box).slices], inside.low_kji)
