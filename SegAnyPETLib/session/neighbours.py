"""Finished targets beside the one that is clicked: what belongs to them does not belong to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.crop import Crop
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window


def not_target(
    volume: Volume, window: Window, neighbours: Sequence[MaskPatch], points: Sequence[Point], mask: MaskPatch
) -> Crop | None:
    """Return what a window shows of the neighbours, bool; None if it shows nothing of them.

    A neighbour that a positive point lies in is left out, for the user says that it belongs to the target; and so is
    what the target's mask holds already.

    Args:
        volume: the grid of the masks.
        window: that the model looks through.
        neighbours: masks of other targets.
        points: clicks on the target.
        mask: the target's mask so far.
    """
    clicked = [volume.nearest_kji(point.ras) for point in points if point.positive]
    box = window.box_in(volume)
    near = [n for n in neighbours if not n.box.meet(box).empty and not any(n.holds(c) for c in clicked)]
    if not near:
        return None
    others = np.zeros(box.shape_kji, dtype=bool)
    for one in near:  # together, for a window of a patient with many lesions is sampled once
        common = one.box.meet(box)
        others[common.relative_to(box).slices] |= one.within(common)
    known = window.sample(MaskPatch(others & ~mask.within(box), box.low_kji).as_volume(volume)) > 0.5
    return Crop.around(known, known) if known.any() else None
