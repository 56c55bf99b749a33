"""Targets of several parts, such as both kidneys: a click is about the part that it lies in or near."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: What lies no farther apart belongs to one part.
GAP_MM = 30.0

_TOUCHING = ndimage.generate_binary_structure(3, 3)


def part_at(volume: Volume, mask: MaskPatch, point: Point) -> MaskPatch:
    """Return the components of a mask around a point, their boxes chained over gaps of at most `GAP_MM`.

    Returns:
        An empty patch if no component is near.
    """
    labels, _ = ndimage.label(mask.array_kji, _TOUCHING)
    spacing = volume.spacing_mm[::-1]
    offset = np.array(mask.offset_kji)
    boxes = [
        (
            (offset + [s.start for s in box]) * spacing,
            (offset + [s.stop - 1 for s in box]) * spacing,
        )
        for box in ndimage.find_objects(labels)
    ]
    low = high = np.array(volume.nearest_kji(point.ras)) * spacing
    chosen: set[int] = set()
    while True:
        gaps = [float(np.maximum(np.maximum(b_low - high, low - b_high), 0).max()) for b_low, b_high in boxes]
        near = {n for n, gap in enumerate(gaps) if gap <= GAP_MM}
        if near <= chosen:
            break
        chosen |= near
        low = np.minimum(low, np.min([boxes[n][0] for n in chosen], axis=0))
        high = np.maximum(high, np.max([boxes[n][1] for n in chosen], axis=0))
    return MaskPatch.cropped(np.isin(labels, [n + 1 for n in chosen]), mask.offset_kji)
