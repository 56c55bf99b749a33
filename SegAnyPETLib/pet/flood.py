"""Whether a mask is far larger than the uptake that was clicked, as when a model runs on into the tissue around."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.pet.hottest import hottest_near
from SegAnyPETLib.pet.thresholds import background_around, connected_region, core_of
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.notes import Note, NoteKind
from SegAnyPETLib.volume.volume import Volume

#: A mask of so many times the volume of the clicked uptake is doubted. Of 31 sarcomas, clicked in their middle, 3 have
#: such contours, and none of these is also as faint as the next constant says.
MAX_RATIO = 10.0
#: ... if so large a share of its voxels is as faint as the surroundings of the clicks.
MIN_FAINT_SHARE = 0.8
#: ... and if it exceeds the uptake by so much; what is smaller is seen at a glance.
MIN_EXCESS_ML = 20.0
#: Where between background and clicked uptake faint voxels end, and where the uptake's own region ends.
FAINT_FRACTION = 0.25
REGION_FRACTION = 0.5


def flood_notes(volume: Volume, mask_kji: NDArray[np.bool_], points: Sequence[Point]) -> tuple[Note, ...]:
    """Return a note if a mask is far larger than the uptake at its positive points.

    The uptake of a point is the region around the hottest voxel within 7 mm that is connected above the middle between
    that voxel and the background 20 to 25 mm around it.

    Args:
        volume: the PET.
        mask_kji: bool array on the volume's grid.
        points: the clicks; without a positive one nothing is said.

    Raises:
        InputError: a point lies outside the volume.
    """
    uptake = np.zeros(volume.shape_kji, dtype=bool)
    faintest = np.inf
    for point in points:
        if not point.positive:
            continue
        seed_kji = hottest_near(volume, point)
        hottest = float(volume.array_kji[seed_kji])
        background = min(background_around(volume, core_of(volume, seed_kji)), hottest)
        region = connected_region(volume.array_kji, seed_kji, background + REGION_FRACTION * (hottest - background))
        uptake |= region.to_array(volume.shape_kji)
        faintest = min(faintest, background + FAINT_FRACTION * (hottest - background))
    mask_ml = np.count_nonzero(mask_kji) * volume.voxel_ml
    uptake_ml = np.count_nonzero(uptake) * volume.voxel_ml
    if not uptake_ml or mask_ml < MAX_RATIO * uptake_ml or mask_ml - uptake_ml < MIN_EXCESS_ML:
        return ()
    faint = float(np.mean(volume.array_kji[mask_kji] < faintest))
    if faint < MIN_FAINT_SHARE:
        return ()
    message = (
        f"the mask has {mask_ml:.0f} ml, but the uptake at the clicks only {uptake_ml:.1f} ml, and {100 * faint:.0f} % "
        "of the mask is as faint as what lies around; it may have run on, so check it and add negative points"
    )
    return (Note(NoteKind.MASK, message),)
