"""Requests and predictions as messages. Client and server check everything that they read with these functions.

The checks are written by hand: messages must be refused with the same short text for the same fault on both sides, a
number must not be converted from a text or a boolean, and the client must not need a further package.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.messages.frame import pack, unpack
from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.protocol import MAX_EXPONENT, MIN_EXPONENT, Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.crop import Crop

#: Clients and servers of different versions do not talk to each other.
PROTOCOL = 1

#: Maximum number of voxels per side of a window.
MAX_SIZE = 256
#: Maximum voxel size of a window in mm.
MAX_SPACING_MM = 100.0
#: Maximum number of masks beside the first one in a prediction.
MAX_ALTERNATIVES = 15


@dataclass(frozen=True, eq=False)
class PredictRequest:
    """A request for predictions.

    Attributes:
        model: name of the model.
        weights_sha256: of the weights that the client expects.
        window_sha256: of the window, see `WindowImage.sha256`.
        spacing_mm: voxel size of the window.
        image: voxels of the window, or None if the server should know them.
        targets: prompts of each target.
    """

    model: str
    weights_sha256: str
    window_sha256: str
    spacing_mm: float
    image: WindowImage | None
    targets: tuple[TargetPrompts, ...]


def pack_request(request: PredictRequest) -> bytes:
    """Return a request as a message."""
    arrays: dict[str, NDArray] = {}
    if request.image is not None:
        arrays["voxels"] = request.image.voxels_kji
    fields = {
        "protocol": PROTOCOL,
        "model": request.model,
        "weights": request.weights_sha256,
        "window": request.window_sha256,
        "spacing_mm": request.spacing_mm,
        "unit": None if request.image is None else request.image.unit,
        "targets": [_packed_target(n, target, arrays) for n, target in enumerate(request.targets)],
    }
    return pack(fields, arrays)


def unpack_request(data: bytes, limits: Limits) -> PredictRequest:
    """Read a request.

    Raises:
        InputError: it is malformed, beyond the limits, or its window is not the one that its SHA-256 names.
    """
    fields, arrays = unpack(data)
    _check_protocol(fields)
    spacing_mm = _number(fields, "spacing_mm", 1e-3, MAX_SPACING_MM)
    sha256 = _text(fields, "window", r"[0-9a-f]{64}")
    image = None
    if "voxels" in arrays:
        image = WindowImage(_window_voxels(arrays.pop("voxels")), _unit(fields), spacing_mm)
        if image.sha256 != sha256:
            raise InputError("the window is not the one that its SHA-256 names; it was damaged on its way")
    items = _list(fields, "targets", 1, limits.targets)
    targets = tuple(_target(n, item, arrays, limits) for n, item in enumerate(items))
    _check_used(arrays)
    if sum(len(t.points_kji) for t in targets) > limits.points:
        raise InputError(f"more than {limits.points} points in one request")
    return PredictRequest(
        model=_name(fields, "model"),
        weights_sha256=_text(fields, "weights", r"[0-9a-f]{0,64}"),
        window_sha256=sha256,
        spacing_mm=spacing_mm,
        image=image,
        targets=targets,
    )


def pack_predictions(predictions: Sequence[Prediction]) -> bytes:
    """Return predictions as a message."""
    arrays = {f"logits.{n}": p.logits.array_kji for n, p in enumerate(predictions)}
    for n, prediction in enumerate(predictions):
        arrays |= {f"logits.{n}.{m}": other.logits.array_kji for m, other in enumerate(prediction.alternatives)}
    items = [_packed_prediction(p) for p in predictions]
    return pack({"protocol": PROTOCOL, "predictions": items}, arrays)


def unpack_predictions(data: bytes, targets: int, size: int) -> list[Prediction]:
    """Read the predictions that answer a request.

    Args:
        data: the message.
        targets: number of targets in the request.
        size: voxels per side of the window.

    Raises:
        InputError: it is malformed, or answers another request.
    """
    fields, arrays = unpack(data)
    _check_protocol(fields)
    items = _list(fields, "predictions", targets, targets)
    predictions = [_with_alternatives(n, item, arrays, size) for n, item in enumerate(items)]
    _check_used(arrays)
    return predictions


def _packed_target(number: int, target: TargetPrompts, arrays: dict[str, NDArray]) -> dict[str, Any]:
    if target.mask is not None:
        arrays[f"mask.{number}"] = target.mask.array_kji
    if target.previous_logits is not None:
        arrays[f"memory.{number}"] = target.previous_logits
    return {
        "points_kji": [[float(c) for c in point] for point in target.points_kji],
        "positive": [bool(p) for p in target.positive],
        "mask": None if target.mask is None else {"grid": target.mask.size, "corner_kji": list(target.mask.offset_kji)},
        "memory": target.previous_logits is not None,
        **({"alternatives": True} if target.alternatives else {}),
        **({} if target.not_target is None else {"not_target": _packed_bits(target.not_target)}),
    }


def _target(number: int, item: Any, arrays: dict[str, NDArray], limits: Limits) -> TargetPrompts:
    points = _list(item, "points_kji", 0, limits.points)
    positive = _list(item, "positive", len(points), len(points))
    if not all(type(p) is bool for p in positive):
        raise InputError("positive must hold true or false for each point")
    mask = previous_logits = None
    if item.get("mask") is not None:
        mask = _crop(item["mask"], _array(arrays, f"mask.{number}", np.uint8))
    if _yes_or_no(item, "memory"):
        previous_logits = _finite(_cube(_array(arrays, f"memory.{number}", np.float16)))
    indices = np.array([_point(p) for p in points], np.float32).reshape(-1, 3)
    # Releases before 0.2 do not ask for alternatives, and refuse an answer that holds some.
    alternatives = item.get("alternatives") is not None and _yes_or_no(item, "alternatives")
    not_target = None if item.get("not_target") is None else _bits(item["not_target"])
    return TargetPrompts(indices, np.array(positive, dtype=bool), mask, previous_logits, alternatives, not_target)


def _packed_bits(crop: Crop) -> dict[str, Any]:
    """Pack a crop of bool, the highest bit of a byte first; releases before 0.2 pass over what is no array."""
    bits = base64.b64encode(np.packbits(crop.array_kji).tobytes()).decode("ascii")
    box = {"grid": crop.size, "corner_kji": list(crop.offset_kji), "shape_kji": list(crop.array_kji.shape)}
    return {**box, "bits": bits}


def _bits(item: Any) -> Crop:
    shape = _list(item, "shape_kji", 3, 3)
    if not all(type(n) is int and 0 <= n <= MAX_SIZE for n in shape):
        raise InputError("a box needs a shape of three whole numbers")
    text, count = _get(item, "bits"), math.prod(shape)
    try:
        packed = base64.b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise InputError("bits must be in base64") from error
    if len(packed) != (count + 7) // 8:
        raise InputError("a box has another number of voxels than its shape says")
    return _crop(item, np.unpackbits(np.frombuffer(packed, np.uint8), count=count).astype(bool).reshape(shape))


def _packed_prediction(prediction: Prediction) -> dict[str, Any]:
    fields = {
        "size": prediction.size,
        "grid": prediction.logits.size,
        "corner_kji": list(prediction.logits.offset_kji),
        "quality": prediction.quality,
        "remembers": prediction.feeds_back_logits,
    }
    others = [_packed_prediction(other) for other in prediction.alternatives]
    return {**fields, "alternatives": others} if others else fields


def _with_alternatives(number: int, item: Any, arrays: dict[str, NDArray], size: int) -> Prediction:
    first = _prediction(item, _array(arrays, f"logits.{number}", np.float16), size)
    if item.get("alternatives") is None:
        return first
    others = _list(item, "alternatives", 1, MAX_ALTERNATIVES)
    return replace(
        first,
        alternatives=tuple(
            _prediction(other, _array(arrays, f"logits.{number}.{m}", np.float16), size)
            for m, other in enumerate(others)
        ),
    )


def _prediction(item: Any, values: NDArray, size: int) -> Prediction:
    logits, feeds_back_logits = _crop(item, _finite(values)), _yes_or_no(item, "remembers")
    if item.get("size") != size or size % logits.size:
        raise InputError("the answer is for another window")
    if feeds_back_logits and logits.array_kji.shape != (logits.size,) * 3:
        raise InputError("the answer lacks a part of what the model wants to see again")
    return Prediction(logits, size, _number(item, "quality", 0.0, 1.0), feeds_back_logits)


def _check_protocol(fields: dict[str, Any]) -> None:
    version = fields.get("protocol")
    if type(version) is not int:
        raise InputError("not a message of this protocol: it does not state its version")
    if version != PROTOCOL:
        raise InputError(
            f"the other side speaks version {str(version)[:20]} of the protocol, this one version {PROTOCOL}; install "
            "the same release on both"
        )


def _check_used(arrays: dict[str, NDArray]) -> None:
    if arrays:
        raise InputError("the message holds an array that nothing in it speaks of")


def _window_voxels(array: NDArray) -> NDArray[np.float16]:
    if array.dtype != np.float16:
        raise InputError("a window's voxels must be float16")
    return _finite(_cube(array))


def _unit(fields: dict[str, Any]) -> float:
    unit = _number(fields, "unit", 2.0**MIN_EXPONENT, 2.0**MAX_EXPONENT)
    if math.frexp(unit)[0] != 0.5:
        raise InputError("a window's unit must be a power of two")
    return unit


def _crop(item: Any, values: NDArray) -> Crop:
    grid = _whole(item, "grid", 1, MAX_SIZE)
    corner = _list(item, "corner_kji", 3, 3)
    if not all(type(c) is int for c in corner) or values.ndim != 3:
        raise InputError("a box needs a corner of three whole numbers and an array of three dimensions")
    return Crop(grid, (corner[0], corner[1], corner[2]), values)


def _array(arrays: dict[str, NDArray], name: str, kind: type) -> NDArray:
    array = arrays.pop(name, None)
    if array is None or array.dtype != kind:
        raise InputError(f"the message has no array {name} of type {np.dtype(kind)}")
    return array


def _cube(array: NDArray) -> NDArray:
    if array.ndim != 3 or len(set(array.shape)) != 1 or not 1 <= len(array) <= MAX_SIZE:
        raise InputError(f"an array must be a cube of at most {MAX_SIZE} voxels per side")
    return array


def _finite(array: NDArray) -> NDArray:
    if not np.isfinite(array).all():
        raise InputError("an array holds values that are not finite")
    return array


def _point(point: Any) -> list[float]:
    # A point may lie far outside a window, but float32 must be able to represent it.
    if not isinstance(point, list) or len(point) != 3 or not all(type(c) in (int, float) for c in point):
        raise InputError("a point needs three numbers")
    if not all(abs(c) < 1e6 for c in point):
        raise InputError("a point lies too far from its window")
    return [float(c) for c in point]


def _number(item: Any, name: str, least: float, most: float) -> float:
    value = _get(item, name)
    if type(value) not in (int, float) or not least <= value <= most:
        raise InputError(f"{name} must be a number from {least:g} to {most:g}")
    return float(value)


def _whole(item: Any, name: str, least: int, most: int) -> int:
    value = _get(item, name)
    if type(value) is not int or not least <= value <= most:
        raise InputError(f"{name} must be a whole number from {least} to {most}")
    return value


def _yes_or_no(item: Any, name: str) -> bool:
    value = _get(item, name)
    if type(value) is not bool:
        raise InputError(f"{name} must be true or false")
    return value


def _name(item: Any, name: str) -> str:
    # Names are shown and logged: no line breaks, no lone surrogates.
    value = _get(item, name)
    if not isinstance(value, str) or not 1 <= len(value) <= 200 or not value.isprintable():
        raise InputError(f"{name} is not of the form that is expected")
    return value


def _text(item: Any, name: str, pattern: str) -> str:
    value = _get(item, name)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise InputError(f"{name} is not of the form that is expected")
    return value


def _list(item: Any, name: str, least: int, most: int) -> list[Any]:
    value = _get(item, name)
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise InputError(f"{name} must be a list of {least} to {most}" if least < most else f"{name} needs {least}")
    return value


def _get(item: Any, name: str) -> Any:
    if not isinstance(item, dict):
        raise InputError(f"{name} is missing")
    return item.get(name)
