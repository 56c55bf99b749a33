"""What led to a segment, as JSON in the segment's tag: it follows undo and redo, and is saved with the segment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import vtk

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.grids import Grid
from SegAnyPETLib.mrml.segments import segment_of
from SegAnyPETLib.prompts import MaskPrompt, Prompt, prompts_from_json, prompts_to_json

TAG = "SegAnyPET.Prompts"
VERSION = 1
#: Node references of a segmentation to the volumes of its segments; a number follows. Slicer keeps them right when
#: nodes get other ids, and saves them with the scene.
VOLUME_ROLE = "segAnyPETVolume"

_ROLE = re.compile(rf"{VOLUME_ROLE}[0-9]{{1,6}}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Weights in training have no file, and so no checksum.
_WEIGHTS_SHA256 = re.compile(r"[0-9a-f]{64}|")


@dataclass(frozen=True)
class SavedPrompts:
    """What a session needs to go on with a segment, besides volume and mask.

    Attributes:
        prompts: points in the RAS frame of the volume and masks on its grid, oldest first.
        model: name of the model that answered last.
        weights_sha256: of its weights, 64 hexadecimal digits, or "".
        mask_sha256: `fingerprint` of the mask that the prompts led to; a mask with another one was edited since.
        volume_role: node reference of the segmentation to the volume, see `refer_to_volume`.
        grid: of the volume when the prompts were saved.
    """

    prompts: tuple[Prompt, ...]
    model: str
    weights_sha256: str
    mask_sha256: str
    volume_role: str
    grid: Grid

    def on(self, grid: Grid) -> tuple[Prompt, ...]:
        """The prompts on the grid that the volume has now: a scene that is loaded again may have its slices reversed.

        Raises:
            InputError: the grid is that of another volume.
        """
        self.grid.check_same(grid)
        return tuple(
            replace(prompt, mask=self.grid.to(grid, prompt.mask)) if isinstance(prompt, MaskPrompt) else prompt
            for prompt in self.prompts
        )

    def to_json(self) -> str:
        """The prompts as text without the separators of .seg.nrrd files."""
        text = json.dumps(
            {
                "version": VERSION,
                "prompts": json.loads(prompts_to_json(self.prompts)),
                "model": self.model,
                "weights_sha256": self.weights_sha256,
                "mask_sha256": self.mask_sha256,
                "volume": self.volume_role,
                "grid": {"shape_kji": self.grid.shape_kji, "ijk_to_ras": self.grid.ijk_to_ras},
            },
            separators=(",", ":"),
        )
        return text.replace("|", r"\u007c")

    @classmethod
    def from_json(cls, text: str) -> SavedPrompts:
        """Read what `to_json` wrote; further keys are passed over.

        Raises:
            InputError: the text is damaged, or a newer release wrote it.
        """
        try:
            content = json.loads(text)
            version = content["version"]
        except (ValueError, RecursionError, KeyError, TypeError) as error:
            raise _damaged() from error
        if version != VERSION:
            raise InputError("the segment's clicks were saved by another release of SegAnyPET; update it to go on")
        try:
            return cls(
                tuple(prompts_from_json(json.dumps(content["prompts"]))),
                _text(content["model"]),
                _text(content["weights_sha256"], _WEIGHTS_SHA256),
                _text(content["mask_sha256"], _SHA256),
                _text(content["volume"], _ROLE),
                _grid(content["grid"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError, InputError) as error:
            raise _damaged() from error


def write_prompts(segmentation: Any, segment_id: str, prompts: SavedPrompts) -> None:
    """Put prompts in a segment's tag.

    Raises:
        InputError: there is no such segment.
    """
    segment_of(segmentation, segment_id).SetTag(TAG, prompts.to_json())


def read_prompts(segmentation: Any, segment_id: str) -> SavedPrompts | None:
    """The prompts in a segment's tag, None for a segment that was made otherwise.

    Raises:
        InputError: there is no such segment, or what its tag holds is damaged.
    """
    text = prompts_text(segmentation, segment_id)
    return SavedPrompts.from_json(text) if text else None


def prompts_text(segmentation: Any, segment_id: str) -> str:
    """What a segment's tag holds, read or not, "" for a segment that was made otherwise.

    Raises:
        InputError: there is no such segment.
    """
    text = vtk.reference("")
    return str(text) if segment_of(segmentation, segment_id).GetTag(TAG, text) else ""


def refer_to_volume(segmentation: Any, volume_node: Any) -> str:
    """The role of a segmentation's node reference to a volume; one is added where there is none."""
    number = 1
    while (node_id := segmentation.GetNodeReferenceID(f"{VOLUME_ROLE}{number}")) not in (None, volume_node.GetID()):
        number += 1
    role = f"{VOLUME_ROLE}{number}"
    if node_id is None:
        segmentation.SetNodeReferenceID(role, volume_node.GetID())
    return role


def referred_volume(segmentation: Any, prompts: SavedPrompts) -> Any | None:
    """The volume node to which the prompts belong, None where it is not in the scene."""
    return segmentation.GetNodeReference(prompts.volume_role)


def _grid(item: Mapping[str, Any]) -> Grid:
    shape, rows = item["shape_kji"], item["ijk_to_ras"]
    if not all(type(length) is int for length in shape):
        raise TypeError("a grid has whole numbers of voxels")
    return Grid(tuple(shape), tuple(tuple(float(number) for number in row) for row in rows))


def _text(value: object, pattern: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or (pattern is not None and not pattern.fullmatch(value)):
        raise TypeError("not the text that belongs here")
    return value


def _damaged() -> InputError:
    return InputError("the clicks saved with the segment are damaged; go on from its mask, or click anew")
