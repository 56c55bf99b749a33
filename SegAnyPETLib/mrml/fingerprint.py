"""Whether a segment's mask is still the one that its prompts led to."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from SegAnyPETLib.mrml.frames import between
from SegAnyPETLib.mrml.grids import Grid
from SegAnyPETLib.mrml.segments import LABELMAP, read_mask, segment_of
from SegAnyPETLib.volume.patch import MaskPatch


def fingerprint(mask: MaskPatch, grid: Grid) -> str:
    """SHA-256 of a mask's voxels and place on its grid, in hexadecimal.

    It is the same for equal masks, however they are cropped, and after the scene was saved and loaded again.
    """
    upright = grid.right_handed(mask)
    tight = MaskPatch.cropped(upright.array_kji, upright.offset_kji)
    digest = hashlib.sha256(np.array([tight.offset_kji, tight.array_kji.shape], "<i8").tobytes())
    digest.update(np.packbits(tight.array_kji).tobytes())
    return digest.hexdigest()


class SegmentFingerprints:
    """Fingerprints of segments, computed again only where a label map or its place was modified.

    Undo and redo need no notice: the mask that comes back has the fingerprint that it had.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[tuple[int, Grid, bytes], str]] = {}

    def of(self, segmentation: Any, segment_id: str, volume_node: Any) -> str:
        """The fingerprint of a segment's mask on the grid of a volume.

        Raises:
            InputError: as `read_mask`.
        """
        key = segmentation.GetID(), segment_id, volume_node.GetID()
        image = segment_of(segmentation, segment_id).GetRepresentation(LABELMAP)
        grid = Grid.of_node(volume_node)
        state = 0 if image is None else image.GetMTime(), grid, between(segmentation, volume_node).tobytes()
        kept = self._kept.get(key)
        if kept is None or kept[0] != state or image is None:
            kept = state, fingerprint(read_mask(segmentation, segment_id, volume_node), grid)
            self._kept[key] = kept
        return kept[1]

    def forget(self) -> None:
        """Let go of everything, when the scene closes."""
        self._kept.clear()
