"""Prompts of the user: points and masks, and their JSON."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.patch import MaskPatch


@dataclass(frozen=True)
class Point:
    """A click in patient space.

    Attributes:
        ras: right, anterior, superior in millimetres.
        positive: True for a point in the target, False for a point outside it.
        clicked_ras: where the user clicked, if the point was moved from there by `pet.hottest.snapped`.
        size_step: steps from the mask that the model expects most of to a larger one, or if negative to a smaller one,
            of the masks that the click may mean.

    Raises:
        InputError: the coordinates are not three finite numbers.
    """

    ras: tuple[float, float, float]
    positive: bool = True
    clicked_ras: tuple[float, float, float] | None = None
    size_step: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "ras", _finite(self.ras))
        if self.clicked_ras is not None:
            object.__setattr__(self, "clicked_ras", _finite(self.clicked_ras))


@dataclass(frozen=True, eq=False)
class MaskPrompt:
    """A mask that replaces what earlier prompts led to; later points continue from it.

    Attributes:
        mask: on the volume's grid.
        refine: whether the model refines it at once; a mask drawn by hand stands until the next point.
    """

    mask: MaskPatch
    refine: bool = False


Prompt = Point | MaskPrompt


def prompts_to_json(prompts: Sequence[Prompt]) -> str:
    """Return prompts as JSON, in their order.

    A point is ``{"ras": [r, a, s], "positive": true}``, with ``"clicked_ras"`` if it was moved from the click, and
    ``"size_step"`` if another size than the model's choice was taken. A mask is ``{"mask": {"offset_kji": [k, j, i],
    "shape_kji": [k, j, i], "bits": base64}, "mend": false}``; the bits are those of its voxels in C order, the highest
    bit of a byte first, compressed by zlib.
    """
    return json.dumps([_mask_item(p) if isinstance(p, MaskPrompt) else _point_item(p) for p in prompts])


def prompts_from_json(text: str) -> list[Prompt]:
    """Read what `prompts_to_json` wrote, now or in earlier releases.

    Raises:
        InputError: the text is not such a list.
    """
    try:
        items = json.loads(text)
        if not isinstance(items, list):
            raise TypeError("it is not a list")
        return [_mask_of(item) if "mask" in item else _point_of(item) for item in items]
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, zlib.error) as error:
        raise InputError(f"not a list of prompts: {error}") from error


def _finite(ras: Any) -> tuple[float, float, float]:
    try:
        r, a, s = (float(c) for c in ras)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"a point needs three numbers R,A,S, got {ras!r}") from None
    if not np.isfinite([r, a, s]).all():
        raise InputError("a point's coordinates must be finite numbers")
    return r, a, s


def _point_item(point: Point) -> dict[str, Any]:
    item: dict[str, Any] = {"ras": list(point.ras), "positive": point.positive}
    if point.clicked_ras is not None:
        item["clicked_ras"] = list(point.clicked_ras)
    if point.size_step:
        item["size_step"] = point.size_step
    return item


def _point_of(item: dict[str, Any]) -> Point:
    ras, positive = item["ras"], item["positive"]
    clicked, size_step = item.get("clicked_ras"), item.get("size_step", 0)
    if type(size_step) is not int:
        raise TypeError("a step of size is a whole number")
    return Point(tuple(ras), bool(positive), None if clicked is None else tuple(clicked), size_step)


def _mask_item(prompt: MaskPrompt) -> dict[str, Any]:
    return {"mask": mask_to_fields(prompt.mask), "mend": prompt.refine}


def _mask_of(item: dict[str, Any]) -> MaskPrompt:
    return MaskPrompt(mask_from_fields(item["mask"]), bool(item["mend"]))


def mask_to_fields(mask: MaskPatch) -> dict[str, Any]:
    """Return a mask as the fields ``offset_kji``, ``shape_kji`` and ``bits`` of `prompts_to_json`."""
    bits = base64.b64encode(zlib.compress(np.packbits(mask.array_kji).tobytes())).decode("ascii")
    return {"offset_kji": list(mask.offset_kji), "shape_kji": list(mask.array_kji.shape), "bits": bits}


def mask_from_fields(fields: Mapping[str, Any]) -> MaskPatch:
    """Read what `mask_to_fields` wrote.

    Raises:
        KeyError, TypeError, ValueError, zlib.error: the fields are not such a mask.
    """
    offset, shape = (_three_counts(fields[name]) for name in ("offset_kji", "shape_kji"))
    count = shape[0] * shape[1] * shape[2]
    decoder = zlib.decompressobj()
    packed = decoder.decompress(base64.b64decode(fields["bits"]), max((count + 7) // 8, 1))
    if not decoder.eof or len(packed) != (count + 7) // 8:
        raise ValueError("a mask has another number of voxels than its shape says")
    voxels = np.unpackbits(np.frombuffer(packed, np.uint8), count=count).astype(bool)
    return MaskPatch.cropped(voxels.reshape(shape), offset)


def _three_counts(values: Any) -> tuple[int, int, int]:
    k, j, i = values
    if not all(isinstance(value, int) and value >= 0 for value in (k, j, i)):
        raise ValueError("a mask's offset and shape are given in whole voxels")
    return k, j, i
