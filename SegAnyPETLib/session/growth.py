"""Targets larger than a window: neighbouring windows carry the mask on where it reaches a border."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window

#: Windows of one click at most, the first one counted.
MAX_WINDOWS = 16
#: Within this many window voxels of a border a model sees too little; the next window decides there.
RIM = 2
#: Fewer voxels than this at a border are no reason to look beyond it.
MIN_CONTACT = 4

#: Runs the model on a window and the part of the mask that it shares with earlier windows.
Look = Callable[[Window, MaskPatch], MaskPatch]
#: Called with the number of windows so far; returns whether to continue.
Watch = Callable[[int], bool]


@dataclass(frozen=True, eq=False)
class Grown:
    """A mask over several windows.

    Attributes:
        mask: on the volume's grid.
        seen: boxes of the grid that the windows showed.
        open: whether the mask still reaches the border of what was seen.
    """

    mask: MaskPatch
    seen: tuple[Box, ...]
    open: bool


@dataclass(frozen=True, eq=False)
class _Contact:
    """Where a mask reaches a face of a window: number of voxels, and the middle of their box."""

    voxels: int
    center_kji: NDArray


def grow(volume: Volume, window: Window, mask: MaskPatch, known: MaskPatch, look: Look, watch: Watch) -> Grown:
    """Follow a mask beyond the border of its window.

    The next window is centred where the mask's largest part reaches the border, so that half of it is shared; it is
    prompted with the mask so far. It decides on what no earlier window saw away from its own border.

    Args:
        volume: the grid.
        window: the one that the mask was found in.
        mask: what the model made of it.
        known: the mask before the click; what belongs to it is not followed again.
        look: runs the model.
        watch: called after every window; False ends the growth.
    """
    seen, settled = [window.box_in(volume)], [_inner(window, volume)]
    while contact := _largest_contact(volume, mask, known, seen, settled):
        if len(seen) >= MAX_WINDOWS or not watch(len(seen)):
            return Grown(mask, tuple(seen), open=True)
        window = Window.around(volume, volume.point_ras(contact.center_kji), window.size, window.spacing_mm)
        mask = _merged(volume, mask, look(window, mask), window, settled)
        seen.append(window.box_in(volume))
        settled.append(_inner(window, volume))
    return Grown(mask, tuple(seen), open=False)


def _inner(window: Window, volume: Volume) -> Box:
    """Return the box of a window without its rim; faces on the volume's own border have no rim."""
    rim = np.ceil(RIM * window.spacing_mm / volume.spacing_mm[::-1]).astype(int)
    box = window.box_in(volume)
    low, high = np.array(box.low_kji), np.array(box.high_kji)
    return Box(tuple(low + rim * (low > 0)), tuple(high - rim * (high < volume.shape_kji)))


def _largest_contact(
    volume: Volume, mask: MaskPatch, known: MaskPatch, seen: Sequence[Box], settled: Sequence[Box]
) -> _Contact | None:
    """Find the face of a window that most voxels of the mask reach and that no other window has looked beyond."""
    contacts = []
    for box in seen:
        for axis, length in enumerate(volume.shape_kji):
            low, high = box.low_kji[axis], box.high_kji[axis]
            ends = [(low, low > 0), (high - 1, high < length)]
            contacts += [_contact(mask, known, settled, box, axis, end) for end, leads_on in ends if leads_on]
    largest = max(contacts, key=lambda c: c.voxels, default=None)
    return largest if largest is not None and largest.voxels >= MIN_CONTACT else None


def _contact(mask: MaskPatch, known: MaskPatch, settled: Sequence[Box], box: Box, axis: int, end: int) -> _Contact:
    low, high = list(box.low_kji), list(box.high_kji)
    low[axis], high[axis] = end, end + 1
    layer = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    index = np.argwhere(mask.within(layer) & ~known.within(layer)) + layer.low_kji
    index = index[~np.any([other.contains(index) for other in settled], axis=0)]
    if not len(index):
        return _Contact(0, np.zeros(3))
    return _Contact(len(index), (index.min(0) + index.max(0)) / 2)


def _merged(volume: Volume, mask: MaskPatch, proposal: MaskPatch, window: Window, settled: Sequence[Box]) -> MaskPatch:
    """Return the mask, with the proposal of a new window for the voxels that no earlier one settled."""
    box = reduce(Box.join, [patch.box for patch in (mask, proposal) if patch.voxels])
    merged, new = mask.within(box), proposal.within(box)
    undecided = np.zeros(merged.shape, dtype=bool)
    undecided[window.box_in(volume).meet(box).relative_to(box).slices] = True
    for other in settled:
        undecided[other.meet(box).relative_to(box).slices] = False
    return MaskPatch.cropped(np.where(undecided, new, merged), box.low_kji)
