"""Targets larger than a window: neighbouring windows carry the mask on where it reaches a border."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window

#: Windows of one click at most, the first one counted.
MAX_WINDOWS = 16
#: Within this many window voxels of a border a model sees too little; the next window decides there.
RIM = 2
#: Fewer voxels than this at a border are no reason to look beyond it.
MIN_CONTACT = 4

Box = tuple[slice, slice, slice]

#: What a model makes of a window and of the part of the mask that it shares with earlier ones.
Look = Callable[[Window, MaskPatch], MaskPatch]
#: Is told how many windows were looked at; says whether to go on.
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
    """The box of a window without its rim; there is none at the volume's own border, beyond which nothing lies."""
    rim = np.ceil(RIM * window.spacing_mm / volume.spacing_mm[::-1]).astype(int)
    k, j, i = (
        slice(s.start + (r if s.start > 0 else 0), s.stop - (r if s.stop < n else 0))
        for s, r, n in zip(window.box_in(volume), rim, volume.shape_kji, strict=True)
    )
    return k, j, i


def _largest_contact(
    volume: Volume, mask: MaskPatch, known: MaskPatch, seen: Sequence[Box], settled: Sequence[Box]
) -> _Contact | None:
    """The face of a window that most voxels of the mask reach and that no other window has looked beyond."""
    contacts = []
    for box in seen:
        for axis, length in enumerate(volume.shape_kji):
            ends = [(box[axis].start, box[axis].start > 0), (box[axis].stop - 1, box[axis].stop < length)]
            contacts += [_contact(mask, known, settled, box, axis, end) for end, leads_on in ends if leads_on]
    largest = max(contacts, key=lambda c: c.voxels, default=None)
    return largest if largest is not None and largest.voxels >= MIN_CONTACT else None


def _contact(mask: MaskPatch, known: MaskPatch, settled: Sequence[Box], box: Box, axis: int, end: int) -> _Contact:
    layer = tuple(slice(end, end + 1) if a == axis else s for a, s in enumerate(box))
    index = np.argwhere(_part(mask, layer) & ~_part(known, layer)) + [s.start for s in layer]
    index = index[~np.any([_holds(other, index) for other in settled], axis=0)]
    if not len(index):
        return _Contact(0, np.zeros(3))
    return _Contact(len(index), (index.min(0) + index.max(0)) / 2)


def _part(mask: MaskPatch, box: tuple[slice, ...]) -> NDArray[np.bool_]:
    """The mask inside a box of the grid, which need not hold all of it."""
    part = np.zeros([s.stop - s.start for s in box], dtype=bool)
    common = [slice(max(b.start, m.start), min(b.stop, m.stop)) for b, m in zip(box, mask.slices, strict=True)]
    if all(s.start < s.stop for s in common):
        into = tuple(slice(s.start - b.start, s.stop - b.start) for s, b in zip(common, box, strict=True))
        out_of = tuple(slice(s.start - o, s.stop - o) for s, o in zip(common, mask.offset_kji, strict=True))
        part[into] = mask.array_kji[out_of]
    return part


def _holds(box: Box, index: NDArray) -> NDArray[np.bool_]:
    low, high = np.array([s.start for s in box]), np.array([s.stop for s in box])
    return np.all((index >= low) & (index < high), axis=-1)


def _merged(volume: Volume, mask: MaskPatch, proposal: MaskPatch, window: Window, settled: Sequence[Box]) -> MaskPatch:
    """The mask, with what a new window says of the voxels that no earlier one settled."""
    patches = [p for p in (mask, proposal) if p.voxels]
    low = np.min([[s.start for s in p.slices] for p in patches], axis=0)
    high = np.max([[s.stop for s in p.slices] for p in patches], axis=0)
    k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    box = (k, j, i)
    merged, new = mask.within(box), proposal.within(box)
    undecided = np.zeros(merged.shape, dtype=bool)
    undecided[_relative(window.box_in(volume), box)] = True
    for other in settled:
        undecided[_relative(other, box)] = False
    return MaskPatch.cropped(np.where(undecided, new, merged), (k.start, j.start, i.start))


def _relative(inner: Box, outer: Box) -> Box:
    """The part of a box that lies in another, as indices of the other."""
    k, j, i = (
        slice(max(a.start - b.start, 0), max(min(a.stop, b.stop) - b.start, 0))
        for a, b in zip(inner, outer, strict=True)
    )
    return k, j, i
