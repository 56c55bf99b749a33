"""What the panel shows of each target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from SegAnyPETLib.mrml.frames import between
from SegAnyPETLib.mrml.labelmaps import array_of, is_empty, matrix_of, same_grid
from SegAnyPETLib.mrml.segment_jobs import Place
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
        suv_max: largest value in it, None where it is empty; SUV only where the volume's values are SUV.
    """

    segment_id: str
    name: str
    color: tuple[float, float, float]
    volume_ml: float
    suv_max: float | None


@dataclass(frozen=True, eq=False)
class _Kept:
    """What was measured, and of what; volumes are never changed, so the same object has the same values."""

    volume: Volume
    state: tuple[Any, ...]
    measured: tuple[float, float | None]


class TargetRows:
    """Rows of segments, measured again only where a label map, its place or the volume is another one."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}

    def of(self, place: Place, volume: Volume) -> list[TargetRow]:
        """A row for each segment, in the segmentation's order.

        Args:
            place: volume and segmentation.
            volume: that of the volume node.

        Raises:
            InputError: as `read_mask`.
        """
        data = place.segmentation.GetSegmentation()
        ids = [str(segment_id) for segment_id in data.GetSegmentIDs()]
        changed = [segment_id for segment_id in ids if not self._stands(place, volume, segment_id)]
        measured = _measured(place, volume, changed)
        for segment_id in changed:
            self._kept[place.segmentation.GetID(), segment_id] = _Kept(
                volume, _state(place, segment_id), measured[segment_id]
            )
        return [_row(data.GetSegment(n), n, self._kept[place.segmentation.GetID(), n].measured) for n in ids]

    def forget(self) -> None:
        """Let go of everything, when the scene closes."""
        self._kept.clear()

    def _stands(self, place: Place, volume: Volume, segment_id: str) -> bool:
        kept = self._kept.get((place.segmentation.GetID(), segment_id))
        return kept is not None and kept.volume is volume and kept.state == _state(place, segment_id)


def _row(segment: Any, segment_id: str, measured: tuple[float, float | None]) -> TargetRow:
    r, g, b = (float(c) for c in segment.GetColor())
    return TargetRow(segment_id, segment.GetName(), (r, g, b), *measured)


def _state(place: Place, segment_id: str) -> tuple[Any, ...]:
    """What a segment's voxels in the volume depend on: its voxels in any representation, and where they lie."""
    segment = place.segmentation.GetSegmentation().GetSegment(segment_id)
    image = segment.GetRepresentation(LABELMAP)
    modified = segment.GetMTime() if image is None else image.GetMTime()
    return modified, segment.GetLabelValue(), between(place.segmentation, place.volume_node).tobytes()


def _measured(place: Place, volume: Volume, segment_ids: Sequence[str]) -> dict[str, tuple[float, float | None]]:
    """Volume in ml and largest value of segments; those that share a label map are found in one pass over it."""
    data, moved_by = place.segmentation.GetSegmentation(), between(place.segmentation, place.volume_node)
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
            mask = read_mask(place.segmentation, segment_id, place.volume_node)
            values = volume.array_kji[mask.slices][mask.array_kji]
        found[segment_id] = values.size * volume.voxel_ml, float(values.max()) if values.size else None
    return found


def _is_on_grid(image: Any, moved_by: NDArray, volume: Volume) -> bool:
    return not is_empty(image) and same_grid(moved_by @ matrix_of(image), volume.ijk_to_ras, image.GetExtent())


class _Labels:
    """The labels of an image on the grid of a volume, as far as they lie in it, with the box of each."""

    def __init__(self, image: Any, volume: Volume) -> None:
        array, origin_kji = array_of(image), image.GetExtent()[4::-2]
        lows = [max(o, 0) for o in origin_kji]
        highs = [min(o + n, m) for o, n, m in zip(origin_kji, array.shape, volume.shape_kji, strict=True)]
        ends = list(zip(lows, highs, origin_kji, strict=True))
        self._labels = array[tuple(slice(low - o, max(high, low) - o) for low, high, o in ends)]
        self._values = volume.array_kji[tuple(slice(low, max(high, low)) for low, high, _ in ends)]
        self._boxes = find_objects(self._labels)

    def values_of(self, label: int) -> NDArray[np.float32]:
        """The volume's values in the voxels of a label."""
        box = self._boxes[label - 1] if 0 < label <= len(self._boxes) else None
        if box is None:
            return np.empty(0, np.float32)
        return self._values[box][self._labels[box] == label]
