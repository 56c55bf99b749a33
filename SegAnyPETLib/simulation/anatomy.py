"""Anatomies for the simulator: tissue maps made from a multi-organ map.

Such a map has no body around its organs; the body is added (`body`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.simulation.body import add_body
from SegAnyPETLib.simulation.tissues import ORGANS
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import canonical_directions

#: Room left around the organs, so that the skin fits in.
MARGIN_MM = 48.0


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Tissues on a canonical grid.

    Attributes:
        tissues: uint8 array (k, j, i) = (superior, anterior, right), values of `Tissue`.
        spacing_mm: voxel size along k, j and i.
    """

    tissues: NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]


def anatomy_from_organs(organs: Volume, rng: np.random.Generator) -> Anatomy:
    """Build the tissue map of a multi-organ map (labels 1 to 10 as in `Tissue`), cropped around the body.

    Raises:
        InputError: the map has no organ, or other labels.
    """
    if organs.array_kji.min() < 0 or not 0 < organs.array_kji.max() <= max(ORGANS):
        raise InputError("an organ map needs labels 1 to 10 (spleen ... head glands) and at least one organ")
    labels, spacing_kji = canonical_labels(organs)
    return Anatomy(add_body(_padded(labels, spacing_kji), spacing_kji, rng), spacing_kji)


def canonical_labels(organs: Volume) -> tuple[NDArray[np.uint8], tuple[float, float, float]]:
    """Permute and flip a label map's axes to (superior, anterior, right); returns it and its spacing along them."""
    step = organs.ras_to_ijk[:3, :3] @ canonical_directions(organs.ijk_to_ras)
    axes = [2 - int(np.abs(step[:, r]).argmax()) for r in (2, 1, 0)]
    flips = tuple(n for n, r in enumerate((2, 1, 0)) if step[np.abs(step[:, r]).argmax(), r] < 0)
    labels = np.flip(np.transpose(organs.array_kji, axes), flips)
    k, j, i = (float(organs.spacing_mm[2 - a]) for a in axes)
    return labels.astype(np.uint8), (k, j, i)


def _padded(labels: NDArray[np.uint8], spacing_kji: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Crop in plane to the organs and a margin; keep every slice."""
    organs = Box.of_mask(labels)
    assert organs is not None
    margin = [len(labels), *(int(np.ceil(MARGIN_MM / spacing)) for spacing in spacing_kji[1:])]
    return np.ascontiguousarray(labels[organs.grown(margin).clipped(labels.shape).slices])
