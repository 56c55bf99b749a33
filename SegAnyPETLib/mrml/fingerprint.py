"""Checksums of masks, which tell whether a segment is still the result of its prompts."""

from __future__ import annotations

from typing import Any

from SegAnyPETLib.mrml.nodes.frames import between
from SegAnyPETLib.mrml.nodes.volumes import grid_of
from SegAnyPETLib.mrml.segments import LABELMAP, read_mask, segment_of
from SegAnyPETLib.session.fingerprint import fingerprint
from SegAnyPETLib.volume.grid import Grid


class SegmentFingerprints:
    """Fingerprints of segments, computed again only if a label map or its transform was modified.

    Undo and redo need no special case: a mask that comes back has its old fingerprint.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[tuple[int, Grid, bytes], str]] = {}

    def of(self, segmentation: Any, segment_id: str, volume_node: Any) -> str:
        """Return the fingerprint of a segment's mask on the grid of a volume.

        Raises:
            InputError: as `read_mask`.
        """
        key = segmentation.GetID(), segment_id, volume_node.GetID()
        image = segment_of(segmentation, segment_id).GetRepresentation(LABELMAP)
        grid = grid_of(volume_node)
        state = 0 if image is None else image.GetMTime(), grid, between(segmentation, volume_node).tobytes()
        kept = self._kept.get(key)
        if kept is None or kept[0] != state or image is None:
            kept = state, fingerprint(read_mask(segmentation, segment_id, volume_node), grid)
            self._kept[key] = kept
        return kept[1]

    def forget_node(self, node_id: str) -> None:
        """Drop the fingerprints of a segmentation, or on the grid of a volume, that left the scene."""
        self._kept = {key: kept for key, kept in self._kept.items() if node_id not in (key[0], key[2])}

    def forget(self) -> None:
        """Drop everything, when the scene closes."""
        self._kept.clear()
