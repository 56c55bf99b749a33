"""Checkpoint archives whose pickles say what no program of ours would write."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


class Stored:
    """A storage as a pickle declares it."""

    def __init__(self, numbers: int) -> None:
        self.numbers = numbers


class Declared:
    """A tensor as a pickle declares it."""

    def __init__(self, numbers: int, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.arguments: tuple[Any, ...] = (Stored(numbers), offset, size, stride, False, OrderedDict())

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return torch._utils._rebuild_tensor_v2, self.arguments


class _Pickler(pickle.Pickler):
    """Writes what is declared as if it were there."""

    def persistent_id(self, thing: Any) -> Any:
        return ("storage", torch.FloatStorage, "0", "cpu", thing.numbers) if isinstance(thing, Stored) else None


def write_archive(
    path: Path,
    content: Any,
    storage: bytes = bytes(64),
    byteorder: bytes = b"little",
    compression: int = zipfile.ZIP_STORED,
) -> Path:
    """A checkpoint made by hand.

    Args:
        path: the file to write.
        content: the bytes of a pickle, or an object to be pickled.
        storage: the numbers of all its tensors.
        byteorder: of these numbers.
        compression: of the archive.
    """
    data = content if isinstance(content, bytes) else forged_pickle(content)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, record in {"data.pkl": data, "byteorder": byteorder, "data/0": storage, "version": b"3\n"}.items():
            archive.writestr(f"archive/{name}", record)
    return path


def forged_pickle(content: Any) -> bytes:
    """The pickle of an object in which things are `Stored` and `Declared`."""
    file = io.BytesIO()
    _Pickler(file, 2).dump(content)
    return file.getvalue()
