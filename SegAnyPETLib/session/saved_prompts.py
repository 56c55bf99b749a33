"""The record of what led to a segment, as JSON in the segment's tag.

The command line and Slicer write and read the same record, so that a segment made by one can be continued in the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.prompts import MaskPrompt, Prompt, prompts_from_json, prompts_to_json
from SegAnyPETLib.session.fingerprint import fingerprint
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.patch import MaskPatch

TAG = "SegAnyPET.Prompts"
VERSION = 1
#: Node references of a segmentation in Slicer to the volumes of its segments; a number follows. Slicer keeps them
#: right when nodes get other ids, and saves them with the scene.
VOLUME_ROLE = "segAnyPETVolume"

_ROLE = re.compile(rf"(?:{VOLUME_ROLE}[0-9]{{1,6}})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Weights in training have no file, and so no checksum.
_WEIGHTS_SHA256 = re.compile(r"[0-9a-f]{64}|")


@dataclass(frozen=True)
class SavedPrompts:
    """What a session needs, besides volume and mask, to continue a segment.

    Attributes:
        prompts: points in the RAS frame of the volume and masks on its grid, oldest first.
        model: name of the model that answered last; "" if it is not known.
        weights_sha256: SHA-256 of its weights, 64 hexadecimal digits; "" if it is not known.
        mask_sha256: `fingerprint` of the mask that the prompts led to; a segment whose mask has another one was edited
            since. "" if it is not known.
        grid: grid of the volume when the prompts were saved; None if it is not known.
        volume_role: in Slicer, the segmentation's node reference to the volume; "" outside Slicer.
    """

    prompts: tuple[Prompt, ...]
    model: str = ""
    weights_sha256: str = ""
    mask_sha256: str = ""
    grid: Grid | None = None
    volume_role: str = ""

    @classmethod
    def of(
        cls,
        session: InteractiveSession,
        mask: MaskPatch | None = None,
        grid: Grid | None = None,
        volume_role: str = "",
    ) -> SavedPrompts:
        """Return the record of a session.

        Args:
            session: what led to the segment.
            mask: the segment's mask if it differs from the session's, as an editor's masking may allow only a part.
            grid: grid of the session's volume if it is known more exactly than from the volume.
            volume_role: as the attribute.
        """
        spec = session.backend.spec
        grid = Grid.of(session.volume) if grid is None else grid
        mask_sha256 = fingerprint(session.mask if mask is None else mask, grid)
        return cls(session.prompts, spec.name, spec.sha256, mask_sha256, grid, volume_role)

    def on(self, grid: Grid) -> tuple[Prompt, ...]:
        """Return the prompts on the grid that the volume has now; Slicer may have loaded it with reversed slices.

        Raises:
            InputError: the grid is that of another volume.
        """
        saved = self.grid
        if saved is None:
            return self.prompts
        saved.check_same(grid)
        return tuple(
            replace(prompt, mask=saved.to(grid, prompt.mask)) if isinstance(prompt, MaskPrompt) else prompt
            for prompt in self.prompts
        )

    def to_json(self) -> str:
        """Return the record as text without the separators of .seg.nrrd files."""
        content = {
            "version": VERSION,
            "prompts": json.loads(prompts_to_json(self.prompts)),
            "model": self.model,
            "weights_sha256": self.weights_sha256,
            "mask_sha256": self.mask_sha256,
            "volume": self.volume_role,
            "grid": None if self.grid is None else _grid_item(self.grid),
        }
        return json.dumps(content, separators=(",", ":")).replace("|", r"\u007c")

    @classmethod
    def from_json(cls, text: str) -> SavedPrompts:
        """Read what `to_json` wrote, or the plain list of prompts that the command line of release 0.1.0 wrote.

        Further keys are ignored.

        Raises:
            InputError: the text is damaged, or a newer release wrote it.
        """
        try:
            content = json.loads(text)
            if isinstance(content, list):
                return cls(tuple(prompts_from_json(text)))
            version = content["version"]
        except (ValueError, RecursionError, KeyError, TypeError, InputError) as error:
            raise _damaged() from error
        if version != VERSION:
            raise InputError("the segment's clicks were saved by another release of SegAnyPET; update it to go on")
        try:
            return cls(
                tuple(prompts_from_json(json.dumps(content["prompts"]))),
                _text(content["model"]),
                _text(content["weights_sha256"], _WEIGHTS_SHA256),
                _text(content["mask_sha256"], _SHA256),
                _grid(content["grid"]),
                _text(content.get("volume", ""), _ROLE),
            )
        except (KeyError, TypeError, ValueError, OverflowError, InputError) as error:
            raise _damaged() from error


def _grid_item(grid: Grid) -> dict[str, Any]:
    return {"shape_kji": grid.shape_kji, "ijk_to_ras": grid.ijk_to_ras}


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
    return InputError("the clicks saved with the segment are damaged; go on from its mask, or click again")
