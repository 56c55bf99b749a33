"""Rows of the panel's table: name, colour, volume and maximum of each segment."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from SegAnyPETLib.mrml.nodes.frames import between
from SegAnyPETLib.mrml.nodes.labelmaps import array_of, box_of, is_empty, matrix_of, same_grid
from SegAnyPETLib.mrml.segment_jobs import ClickContext
from SegAnyPETLib.mrml.segments import LABELMAP, read_mask
from SegAnyPETLib.volume.volume import Volume


@dataclass(frozen=True)
class TargetRow:
    """One segment.

    Attributes:
        segment_id: of the segment.
        name: of the segment.
        color: red, green, blue, each 0 to 1.
        volume_ml: of its voxels in the volume.
        suv_max: largest value in it, None if it is empty; SUV only if the volume's values are SUV.
    """

    segment_id: str
    name: str
    color: tuple[float, float, float]
    volume_ml: float
    suv_max: float | None


@dataclass(frozen=True, eq=False)
class _Kept:
    """A measurement, and what it depends on; volumes never change, and a dropped one is not kept alive."""

    volume: weakref.ref[Volume]
    state: tuple[Any, ...]
    measured: tuple[float, float | None]


class TargetRows:
    """Rows of segments, measured again only if a label map, its transform or the volume has changed."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}

    def of(self, context: ClickContext, volume: Volume) -> list[TargetRow]:
        """Return a row for each segment, in the segmentation's order.

        Args:
            context: volume and segmentation.
            volume: that of the volume node.

        Raises:
            InputError: as `read_mask`.
        """
        data = context.segmentation.GetSegmentation()
        ids = [str(segment_id) for segment_id in data.GetSegmentIDs()]
        changed = [segment_id for segment_id in ids if not self._unchanged(context, volume, segment_id)]
        measured = _measured(context, volume, changed)
        for segment_id in changed:
            self._kept[context.segmentation.GetID(), segment_id] = _Kept(
                weakref.ref(volume), _state(context, segment_id), measured[segment_id]
            )
        return [_row(data.GetSegment(n), n, self._kept[context.segmentation.GetID(), n].measured) for n in ids]

    def forget(self) -> None:
        """Drop everything, when the scene closes."""
        self._kept.clear()

    def _unchanged(self, context: ClickContext, volume: Volume, segment_id: str) -> bool:
        kept = self._kept.get((context.segmentation.GetID(), segment_id))
        return kept is not None and kept.volume() is volume and kept.state == _state(context, segment_id)


def _row(segment: Any, segment_id: str, measured: tuple[float, float | None]) -> TargetRow:
    r, g, b = (float(c) for c in segment.GetColor())
    return TargetRow(segment_id, segment.GetName(), (r, g, b), *measured)


def _state(context: ClickContext, segment_id: str) -> tuple[Any, ...]:
    """Return what a segment's voxels on the volume's grid depend on: its representation, label and transforms."""
    segment = context.segmentation.GetSegmentation().GetSegment(segment_id)
    image = segment.GetRepresentation(LABELMAP)
    modified = segment.GetMTime() if image is None else image.GetMTime()
    return modified, segment.GetLabelValue(), between(context.segmentation, context.volume_node).tobytes()


def _measured(
    context: ClickContext, volume: Volume, segment_ids: Sequence[str]
) -> dict[str, tuple[float, float | None]]:
    """Return volume in ml and largest value of segments; those in a shared label map are found in one pass over it."""
    data, moved_by = context.segmentation.GetSegmentation(), between(context.segmentation, context.volume_node)
    found: dict[str, tuple[float, float | None]] = {}
    passes: dict[int, _Labels] = {}
    for segment_id in segment_ids:
        segment = data.GetSegment(segment_id)
        image = segment.GetRepresentation(LABELMAP)
        layer = data.GetLayerIndex(segment_id)
        if layer not in passes and image is not None and _is_on_grid(image, moved_by, volume):
            passes[layer] = _Labels(image, volume)
        if layer in passes:
            values = passes[layer].values_of(segment.GetLabelValue())
        else:
            mask = read_mask(context.segmentation, segment_id, context.volume_node)
            values = volume.array_kji[mask.slices][mask.array_kji]
        found[segment_id] = values.size * volume.voxel_ml, float(values.max()) if values.size else None
    return found


def _is_on_grid(image: Any, moved_by: NDArray, volume: Volume) -> bool:
    return not is_empty(image) and same_grid(moved_by @ matrix_of(image), volume.ijk_to_ras, image.GetExtent())


class _Labels:
    """The labels of an image on the grid of a volume, clipped to it, with the bounding box of each."""

    def __init__(self, image: Any, volume: Volume) -> None:
        image_box = box_of(image.GetExtent())
        common = image_box.clipped(volume.shape_kji)
        self._labels = array_of(image)[common.relative_to(image_box).slices]
        self._values = volume.array_kji[common.slices]
        self._boxes = find_objects(self._labels)

    def values_of(self, label: int) -> NDArray[np.float32]:
        """Return the volume's values in the voxels of a label."""
        box = self._boxes[label - 1] if 0 < label <= len(self._boxes) else None
        if box is None:
            return np.empty(0, np.float32)
        return self._values[box][self._labels[box] == label]
