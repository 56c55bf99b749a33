"""What the panel shows of each target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from SegAnyPETLib.mrml.frames import between
from SegAnyPETLib.mrml.jobs import Place
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
        return [self._row(place, volume, str(segment_id)) for segment_id in data.GetSegmentIDs()]

    def forget(self) -> None:
        """Let go of everything, when the scene closes."""
        self._kept.clear()

    def _row(self, place: Place, volume: Volume, segment_id: str) -> TargetRow:
        segment = place.segmentation.GetSegmentation().GetSegment(segment_id)
        image, key = segment.GetRepresentation(LABELMAP), (place.segmentation.GetID(), segment_id)
        modified = 0 if image is None else image.GetMTime()
        state = modified, segment.GetLabelValue(), between(place.segmentation, place.volume_node).tobytes()
        kept = self._kept.get(key)
        if kept is None or image is None or kept.volume is not volume or kept.state != state:
            kept = self._kept[key] = _Kept(volume, state, _measured(place, volume, segment_id))
        r, g, b = (float(c) for c in segment.GetColor())
        return TargetRow(segment_id, segment.GetName(), (r, g, b), *kept.measured)


def _measured(place: Place, volume: Volume, segment_id: str) -> tuple[float, float | None]:
    mask = read_mask(place.segmentation, segment_id, place.volume_node)
    values = volume.array_kji[mask.slices][mask.array_kji]
    return values.size * volume.voxel_ml, float(values.max()) if values.size else None
