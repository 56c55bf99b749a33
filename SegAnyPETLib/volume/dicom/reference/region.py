"""A named region of an object, whose mask is made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.volume.notes import Note


@dataclass(frozen=True, eq=False)
class Region:
    """One region.

    Attributes:
        name: as the object says.
        mask_kji: makes the bool array on the PET's grid.

    Raises:
        InputError: by ``mask_kji``, the region cannot be brought to the grid.
    """

    name: str
    mask_kji: Callable[[], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of an object.

    Attributes:
        regions: in the object's order.
        frame_of_reference: identifier of the coordinate system; "" if the object does not say.
        notes: doubts about the object.
    """

    regions: Sequence[Region]
    frame_of_reference: str
    notes: tuple[Note, ...] = ()
