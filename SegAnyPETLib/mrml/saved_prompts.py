"""The record of a segment's prompts in its tag, which follows undo and redo and is saved with the segment."""

from __future__ import annotations

from typing import Any

import vtk

from SegAnyPETLib.mrml.segments import segment_of
from SegAnyPETLib.session.saved_prompts import TAG, VOLUME_ROLE, SavedPrompts


def write_prompts(segmentation: Any, segment_id: str, prompts: SavedPrompts) -> None:
    """Write a record into a segment's tag.

    Raises:
        InputError: there is no such segment.
    """
    segment_of(segmentation, segment_id).SetTag(TAG, prompts.to_json())


def read_prompts(segmentation: Any, segment_id: str) -> SavedPrompts | None:
    """Return the record in a segment's tag, None for a segment without one.

    Raises:
        InputError: there is no such segment, or its record is damaged.
    """
    text = prompts_text(segmentation, segment_id)
    return SavedPrompts.from_json(text) if text else None


def prompts_text(segmentation: Any, segment_id: str) -> str:
    """Return the text of a segment's tag, readable or not, "" for a segment without one.

    Raises:
        InputError: there is no such segment.
    """
    text = vtk.reference("")
    return str(text) if segment_of(segmentation, segment_id).GetTag(TAG, text) else ""


def refer_to_volume(segmentation: Any, volume_node: Any) -> str:
    """Return the role of a segmentation's node reference to a volume; add the reference if it is missing."""
    number = 1
    while (node_id := segmentation.GetNodeReferenceID(f"{VOLUME_ROLE}{number}")) not in (None, volume_node.GetID()):
        number += 1
    role = f"{VOLUME_ROLE}{number}"
    if node_id is None:
        segmentation.SetNodeReferenceID(role, volume_node.GetID())
    return role


def referred_volume(segmentation: Any, prompts: SavedPrompts) -> Any | None:
    """Return the volume node that the record refers to, None if it names none or the node is not in the scene."""
    return segmentation.GetNodeReference(prompts.volume_role) if prompts.volume_role else None
