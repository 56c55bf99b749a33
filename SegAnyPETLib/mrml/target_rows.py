"""What the panel shows of each target."""

from __future__ import annotations

from dataclasses import dataclass

from SegAnyPETLib.mrml.jobs import Place
from SegAnyPETLib.mrml.segments import read_mask
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


def target_rows(place: Place, volume: Volume) -> list[TargetRow]:
    """A row for each segment, in the segmentation's order.

    Args:
        place: volume and segmentation.
        volume: that of the volume node.
    """
    data = place.segmentation.GetSegmentation()
    return [_row(place, volume, str(data.GetNthSegmentID(n))) for n in range(data.GetNumberOfSegments())]


def _row(place: Place, volume: Volume, segment_id: str) -> TargetRow:
    segment = place.segmentation.GetSegmentation().GetSegment(segment_id)
    mask = read_mask(place.segmentation, segment_id, place.volume_node)
    values = volume.array_kji[mask.slices][mask.array_kji]
    color = tuple(float(c) for c in segment.GetColor())
    return TargetRow(
        segment_id,
        segment.GetName(),
        (color[0], color[1], color[2]),
        values.size * volume.voxel_ml,
        float(values.max()) if values.size else None,
    )
