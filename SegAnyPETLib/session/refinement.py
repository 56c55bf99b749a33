"""Segmenting many lesions of one scan by the model, each from a click in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: A mask of so many times the volume of what it was to refine has run on into something else.
MAX_GROWTH = 10.0
#: A lesion may grow by this in any case: thresholds find little of a faint one.
MIN_GROWTH_ML = 5.0
#: So many other lesions are clicked away from a mask that holds them.
MAX_NEGATIVE = 4


@dataclass(frozen=True, eq=False)
class Refined:
    """What the model made of a lesion.

    Attributes:
        session: whose prompts led to the mask; None if the lesion stays as it was.
        mask: the lesion now.
        note: why it stays as it was, else "".
    """

    session: InteractiveSession | None
    mask: MaskPatch
    note: str = ""


def refine(
    volume: Volume,
    backend: Backend,
    lesions: Sequence[tuple[MaskPatch, Point]],
    avoid: Sequence[Point] = (),
    done: Callable[[], object] = lambda: None,
) -> list[Refined]:
    """Let the model segment lesions, in their order.

    Each gets a click, and negative ones where its mask holds the clicks of others or what is to be avoided. What an
    earlier lesion has is taken from later ones, so that none counts twice. A lesion stays as it was if the model runs
    on into what lies around.

    Args:
        volume: PET in SUV.
        backend: runs the model.
        lesions: each with its voxels so far and a click in it.
        avoid: points in what is no lesion.
        done: called after each.

    Raises:
        SegAnyPETError: the backend failed or was cancelled; nothing is returned.
    """
    taken = np.zeros(volume.shape_kji, bool)
    clicks = [point for _, point in lesions]
    found = []
    for number, (region, click) in enumerate(lesions):
        others = [*avoid, *(point for n, point in enumerate(clicks) if n != number)]
        refined = _refined(volume, backend, region, click, others)
        free = _without(refined.mask, taken)
        if not free.voxels:
            refined, free = Refined(None, region, "an earlier lesion holds all of it"), _without(region, taken)
        taken[free.slices] |= free.array_kji
        found.append(Refined(refined.session, free, refined.note))
        done()
    return found


def _refined(volume: Volume, backend: Backend, region: MaskPatch, click: Point, others: Sequence[Point]) -> Refined:
    session = InteractiveSession(volume, backend)
    session.add_point(click)
    for _ in range(MAX_NEGATIVE):
        held = next((p for p in others if _holds(volume, session.mask, p)), None)
        if held is None:
            break
        session.add_point(Point(held.ras, positive=False))
    grown_ml = (session.mask.voxels - region.voxels) * volume.voxel_ml
    if grown_ml > MIN_GROWTH_ML and session.mask.voxels > MAX_GROWTH * region.voxels:
        return Refined(None, region, "the model ran on into what lies around")
    return Refined(session, session.mask)


def _holds(volume: Volume, mask: MaskPatch, point: Point) -> bool:
    index_kji = volume.nearest_kji(point.ras)
    if not mask.box.contains(index_kji):
        return False
    return bool(mask.array_kji[tuple(n - o for n, o in zip(index_kji, mask.offset_kji, strict=True))])


def _without(mask: MaskPatch, taken_kji: NDArray[np.bool_]) -> MaskPatch:
    return MaskPatch.cropped(mask.array_kji & ~taken_kji[mask.slices], mask.offset_kji)
