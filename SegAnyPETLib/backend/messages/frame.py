"""A message: a JSON object and named arrays, as one safetensors file whose metadata holds the JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from SegAnyPETLib.errors import InputError

MEDIA_TYPE = "application/vnd.segany-pet+safetensors"

#: Maximum size of the header; that of a message with the maximum number of points and targets is smaller.
MAX_HEADER_BYTES = 1 << 20

#: Bytes per element of the array types that messages use, by safetensors' names.
_WIDTHS = {"U8": 1, "F16": 2}
_ENTRY = "message"
#: Number of characters of a safetensors error that are kept; it may quote names of the message.
MAX_ERROR = 200


def pack(fields: dict[str, Any], arrays: dict[str, NDArray]) -> bytes:
    """Return a message as bytes.

    Args:
        fields: a JSON object.
        arrays: uint8 or float16.
    """
    # safetensors writes the bytes of an array in memory order and ignores its strides.
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return save(contiguous, metadata={_ENTRY: json.dumps(fields, separators=(",", ":"), allow_nan=False)})


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Read the JSON object and the arrays of a message.

    Raises:
        InputError: the bytes are not a message. Nothing is allocated for what an array merely declares.
    """
    header = _header(data)
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get(_ENTRY), str):
        raise InputError("not a message: the safetensors metadata has no JSON")
    for entry in header.values():
        _check_entry(entry)
    fields = _parsed(metadata[_ENTRY])
    if not isinstance(fields, dict):
        raise InputError("not a message: its JSON is not an object")
    try:
        return fields, load(data)
    except (SafetensorError, ValueError) as error:
        raise InputError(f"not a message: {str(error)[:MAX_ERROR]}") from error


def _header(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, MAX_HEADER_BYTES):
        raise InputError("not a message: it ends too early, or its header is too long")
    header = _parsed(data[8 : 8 + length])
    if not isinstance(header, dict):
        raise InputError("not a message: its header is not an object")
    return header


def _check_entry(entry: object) -> None:
    """Check that an array has few dimensions, a type that messages use, and as many bytes as its shape needs."""
    try:
        kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]  # type: ignore[index]
        numbers = [begin, end, *shape]
        whole = all(type(n) is int and 0 <= n < 1 << 40 for n in numbers) and len(shape) <= 4
        fits = whole and math.prod(shape) * _WIDTHS[kind] == end - begin
    except (TypeError, KeyError, ValueError):
        fits = False
    if not fits:
        raise InputError("not a message: an array's type, shape and bytes do not belong together")


def _parsed(text: str | bytes) -> Any:
    try:
        # Bytes in any other encoding would be read differently by safetensors.
        text = text if isinstance(text, str) else text.decode()
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise InputError("not a message: its JSON cannot be read") from error


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; refuse a name that occurs twice, of which another reader might take the other value."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name occurs twice")
    return fields


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
