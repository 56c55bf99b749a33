"""Rows of the panel's table: name, colour and numbers of each segment.

Numbers are measured in another thread, on copies of the label maps: a large segment takes longer than a GUI may stand
still. Until they are there a row has none; numbers of an earlier state are never shown.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.nodes.frames import between
from SegAnyPETLib.mrml.nodes.labelmaps import array_of, box_of, is_empty, matrix_of, same_grid
from SegAnyPETLib.mrml.saved_prompts import prompts_text
from SegAnyPETLib.mrml.segment_actions import is_locked
from SegAnyPETLib.mrml.segment_jobs import ClickContext
from SegAnyPETLib.mrml.segments import LABELMAP, read_mask
from SegAnyPETLib.pet.burden.lesions import cropped
from SegAnyPETLib.pet.quantities import PEAK_RADIUS_MM, Quantities, quantities
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.saved_prompts import SavedPrompts
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume


@dataclass(frozen=True)
class TargetRow:
    """One segment.

    Attributes:
        segment_id: of the segment.
        name: of the segment.
        color: red, green, blue, each 0 to 1.
        measured: whether its present voxels have been measured.
        numbers: of its voxels in the volume, None if it has none or is not measured yet; SUV only if the volume's
            values are SUV.
        locked: whether clicks do not change it.
        clicks: number of clicks in it and beside it.
    """

    segment_id: str
    name: str
    color: tuple[float, float, float]
    measured: bool
    numbers: Quantities | None
    locked: bool = False
    clicks: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False)
class _Kept:
    """A measurement, and what it depends on; volumes never change, and a dropped one is not kept alive."""

    volume: weakref.ref[Volume]
    state: tuple[Any, ...]
    numbers: Quantities | None


@dataclass(frozen=True, eq=False)
class _Labels:
    """A copy of a label map on the grid of the volume, clipped to it.

    Attributes:
        array_kji: labels.
        offset_kji: index of its first voxel in the volume's grid.
        labels: label of each segment in it, by the segment's id.
    """

    array_kji: NDArray
    offset_kji: tuple[int, int, int]
    labels: dict[str, int]

    def patches(self) -> dict[str, MaskPatch]:
        """Return the voxels of each segment; one pass over the map finds all."""
        boxes = find_objects(self.array_kji)
        return {segment_id: self._patch(label, boxes) for segment_id, label in self.labels.items()}

    def _patch(self, label: int, boxes: list[Any]) -> MaskPatch:
        box = boxes[label - 1] if 0 < label <= len(boxes) else None
        if box is None:
            return MaskPatch.empty()
        k, j, i = (low + part.start for low, part in zip(self.offset_kji, box, strict=True))
        return MaskPatch(self.array_kji[box] == label, (k, j, i))


@dataclass(eq=False)
class Measurement:
    """Segments to measure, as they were when it was made; `run` touches no node.

    Attributes:
        key: id of the segmentation.
        volume: the PET.
        states: what each segment's voxels depended on, by id.
        layers: label maps on the volume's grid.
        masks: segments on other grids, by id.
        numbers: of each segment, after `run`; None for one without a voxel.
    """

    key: str
    volume: Volume
    states: dict[str, tuple[Any, ...]]
    layers: list[_Labels]
    masks: dict[str, MaskPatch]
    numbers: dict[str, Quantities | None] = field(default_factory=dict)

    def run(self) -> None:
        """Measure; runs in any thread."""
        found = dict(self.masks)
        for layer in self.layers:
            found.update(layer.patches())
        self.numbers = {segment_id: numbers_of(self.volume, mask) for segment_id, mask in found.items()}


class TargetRows:
    """Rows of segments, measured again only if a label map, its transform or the volume has changed."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._counted: dict[tuple[str, str], tuple[str, tuple[int, int]]] = {}

    def of(self, context: ClickContext, volume: Volume) -> list[TargetRow]:
        """Return a row for each segment, in the segmentation's order.

        Args:
            context: volume and segmentation.
            volume: that of the volume node.

        Raises:
            InputError: volume or segmentation lies under a warping transform.
        """
        data = context.segmentation.GetSegmentation()
        return [self._row(context, volume, str(segment_id)) for segment_id in data.GetSegmentIDs()]

    def to_measure(self, context: ClickContext, volume: Volume) -> Measurement | None:
        """Return what is to be measured for the rows that are not, None if all are.

        Raises:
            InputError: as `read_mask`.
        """
        data = context.segmentation.GetSegmentation()
        ids = [n for n in map(str, data.GetSegmentIDs()) if self._fresh(context, volume, n) is None]
        if not ids:
            return None
        states = {segment_id: _state(context, segment_id) for segment_id in ids}
        made = Measurement(context.segmentation.GetID(), volume, states, [], {})
        _copy(context, volume, ids, made)
        return made

    def take(self, done: Measurement) -> None:
        """Keep the numbers of a measurement that has run."""
        volume = weakref.ref(done.volume)
        for segment_id, numbers in done.numbers.items():
            self._kept[done.key, segment_id] = _Kept(volume, done.states[segment_id], numbers)

    def forget(self) -> None:
        """Drop everything, when the scene closes."""
        self._kept.clear()
        self._counted.clear()

    def _row(self, context: ClickContext, volume: Volume, segment_id: str) -> TargetRow:
        segment = context.segmentation.GetSegmentation().GetSegment(segment_id)
        kept = self._fresh(context, volume, segment_id)
        r, g, b = (float(c) for c in segment.GetColor())
        numbers = None if kept is None else kept.numbers
        locked = is_locked(context.segmentation, segment_id)
        clicks = self._clicks(context, segment_id)
        return TargetRow(segment_id, segment.GetName(), (r, g, b), kept is not None, numbers, locked, clicks)

    def _clicks(self, context: ClickContext, segment_id: str) -> tuple[int, int]:
        """Count the clicks that are saved with a segment; none if they are damaged."""
        key, text = (context.segmentation.GetID(), segment_id), prompts_text(context.segmentation, segment_id)
        if self._counted.get(key, ("", (0, 0)))[0] != text:
            self._counted[key] = text, _count(text)
        return self._counted[key][1] if text else (0, 0)

    def _fresh(self, context: ClickContext, volume: Volume, segment_id: str) -> _Kept | None:
        """Return a segment's measurement if it is that of its present state."""
        kept = self._kept.get((context.segmentation.GetID(), segment_id))
        fresh = kept is not None and kept.volume() is volume and kept.state == _state(context, segment_id)
        return kept if fresh else None


def _count(text: str) -> tuple[int, int]:
    try:
        signs = [p.positive for p in SavedPrompts.from_json(text).prompts if isinstance(p, Point)]
    except InputError:
        return 0, 0
    return sum(signs), len(signs) - sum(signs)


def _state(context: ClickContext, segment_id: str) -> tuple[Any, ...]:
    """Return what a segment's voxels on the volume's grid depend on: its representation, label and transforms."""
    segment = context.segmentation.GetSegmentation().GetSegment(segment_id)
    image = segment.GetRepresentation(LABELMAP)
    modified = segment.GetMTime() if image is None else image.GetMTime()
    return modified, segment.GetLabelValue(), between(context.segmentation, context.volume_node).tobytes()


def _copy(context: ClickContext, volume: Volume, segment_ids: list[str], into: Measurement) -> None:
    """Copy the segments' voxels; those in a shared label map are copied once."""
    data, moved_by = context.segmentation.GetSegmentation(), between(context.segmentation, context.volume_node)
    layers: dict[int, _Labels] = {}
    for segment_id in segment_ids:
        segment = data.GetSegment(segment_id)
        image = segment.GetRepresentation(LABELMAP)
        layer = data.GetLayerIndex(segment_id)
        if layer not in layers and image is not None and _is_on_grid(image, moved_by, volume):
            layers[layer] = _labels(image, volume)
        if layer in layers:
            layers[layer].labels[segment_id] = segment.GetLabelValue()
        else:
            into.masks[segment_id] = read_mask(context.segmentation, segment_id, context.volume_node)
    into.layers.extend(layers.values())


def _is_on_grid(image: Any, moved_by: NDArray, volume: Volume) -> bool:
    return not is_empty(image) and same_grid(moved_by @ matrix_of(image), volume.ijk_to_ras, image.GetExtent())


def _labels(image: Any, volume: Volume) -> _Labels:
    image_box = box_of(image.GetExtent())
    common = image_box.clipped(volume.shape_kji)
    return _Labels(array_of(image)[common.relative_to(image_box).slices].copy(), common.low_kji, {})


def numbers_of(volume: Volume, mask: MaskPatch) -> Quantities | None:
    """Measure a mask on a volume's grid, in the part of the volume that this needs; None for one without a voxel."""
    if not mask.voxels:
        return None
    reach = np.ceil(PEAK_RADIUS_MM / volume.spacing_mm[::-1]).astype(int)  # of the spheres of SUVpeak
    box = mask.box.grown(reach).clipped(volume.shape_kji)
    return quantities(cropped(volume, box), mask.within(box))
