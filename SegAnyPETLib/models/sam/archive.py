"""Read tensors from an untrusted checkpoint file.

A checkpoint is refused before any of it is run, and before memory is taken for what it only declares:

- the archive must be a plain one as `torch.save` writes it, nothing compressed, so it cannot unpack to more than it is;
- the names that its pickle refers to are compared with a list before it is opened; all of them stand for plain data.
  What containers hold beside tensors (arguments of the training, numpy's numbers) is not made at all: one placeholder
  stands for every such object;
- it is then opened by torch's own restricted reader (``weights_only=True``) on a memory map, where a tensor beyond the
  end of the file cannot be;
- every tensor must be plain and dense, with a number of its own for each of its elements.
"""

from __future__ import annotations

import argparse
import io
import os
import pickle
import pickletools
import re
import stat
import struct
import threading
import warnings
import zipfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from SegAnyPETLib.errors import InputError

#: Checkpoints of this family are smaller: the published one has 0.4 GB, three times that with its optimizer.
MAX_BYTES = 4 << 30
#: Of an archive's directory and of the pickle in it. The published ones have about 50 kB each.
MAX_DIRECTORY_BYTES = 4 << 20
MAX_PICKLE_BYTES = 4 << 20
#: Of a safetensors header.
MAX_HEADER_BYTES = 4 << 20
#: Where containers keep the tensors.
CONTAINERS = ("model_state_dict", "state_dict", "model")

#: torch.save's default protocol, the one that its restricted reader is made for.
PROTOCOL = 2
#: What the pickle of plain tensors refers to; and what training adds, for which `_Placeholder` stands.
PLAIN_NAMES = re.compile(
    r"collections\.(OrderedDict|Counter|defaultdict)|_codecs\.encode"
    r"|torch\.(\w*Storage|storage\.\w*Storage|Size|device|b?float\d+|u?int\d+|bool)"
    r"|torch\._utils\._rebuild_(tensor|tensor_v2|parameter)|torch\.nn\.parameter\.Parameter"
)
IGNORED_NAMES = (
    f"{argparse.__name__}.{argparse.Namespace.__name__}",
    "numpy.core.multiarray.scalar",  # numpy 1
    "numpy._core.multiarray.scalar",  # numpy 2
    "numpy.dtype",
    "numpy.dtypes.Float64DType",
)

#: What reading a malformed pickle may raise; torch's reader is a plain interpreter that checks little.
MALFORMED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
)

#: torch keeps the names that a pickle may use in one list for all threads.
_ALLOWING = threading.Lock()


class _Placeholder:
    """Stand-in for any pickled object that is not a tensor."""

    def __new__(cls, *_: object) -> _Placeholder:
        return super().__new__(cls)

    def __setstate__(self, _: object) -> None:
        """Drop the content."""


class _BoundedFile(io.FileIO):
    """A file whose single reads are capped, so that a forged zip directory cannot exhaust memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        rest = os.fstat(self.fileno()).st_size - self.tell()
        if (rest if size is None or size < 0 else size) > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("the directory is too large")
        return super().read(size) or b""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read names and tensors of a ``.pth``, ``.pt`` or ``.safetensors`` file.

    Args:
        path: a file that `torch.save` or safetensors wrote: a state dict, or a container with one.

    Returns:
        Dense CPU tensors of any numeric type on a memory map of the file: copy what is kept.

    Raises:
        InputError: the file is missing, damaged, or holds code or anything but plain tensors.
    """
    size = _checked_size(path)
    with path.open("rb") as file:
        start = file.read(9)
    is_archive, is_safetensors = start[:4] == b"PK\x03\x04", start[8:] == b"{"
    if (is_archive or is_safetensors) and is_safetensors != (path.suffix.lower() == ".safetensors"):
        raise InputError(f"{path.name} is not what its ending says; rename it to end with .pth or with .safetensors")
    if is_archive:
        tensors = _read_archive(path)
    elif is_safetensors:
        tensors = _read_safetensors(path, size, int.from_bytes(start[:8], "little"))
    elif start[:1] == b"\x80":
        raise InputError(
            f"{path.name} is a bare pickle, as torch wrote it before 1.6; save it again with a newer torch"
        )
    else:
        raise InputError(f"{path.name} is not a checkpoint; give a .pth, .pt or .safetensors file with weights")
    _check_plain(tensors, size, path.name)
    return tensors


def _checked_size(path: Path) -> int:
    """Return the size of a regular file that is neither empty nor too large."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} cannot be opened; check the path and your rights to it") from error
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path.name} is not a file; give the file with the weights")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path.name} cannot be read; check your rights to it")
    if not found.st_size:
        raise InputError(f"{path.name} is empty; get the file again")
    if found.st_size > MAX_BYTES:
        raise InputError(f"{path.name} is larger than {MAX_BYTES >> 30} GB, which no checkpoint of this family is")
    return found.st_size


def _read_archive(path: Path) -> dict[str, Tensor]:
    _check_names(_checked_pickle(path), path.name)
    # First without allocating what is declared; torch also reports errors by printing storages.
    declared = _state_dict(_load(path, "meta"), path.name)
    if any(tensor.untyped_storage().nbytes() > path.stat().st_size for tensor in declared.values()):
        raise InputError(f"{path.name} declares more data than the file has; get it again from a source that you trust")
    return _state_dict(_load(path, "cpu"), path.name)


def _load(path: Path, device: str) -> object:
    """Open a checked archive with torch's restricted reader."""
    stand_ins: list[Any] = [(_Placeholder, name) for name in IGNORED_NAMES]
    try:
        with _ALLOWING, _allowing(stand_ins), warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location=device, weights_only=True, mmap=True)
    except MALFORMED as error:
        raise _damaged(path.name) from error


def _allowing(names: list[Any]) -> AbstractContextManager[None]:
    return torch.serialization.safe_globals(names)


def _checked_pickle(path: Path) -> bytes:
    """Return the pickle of an archive whose records are all plain."""
    try:
        with _BoundedFile(path) as file, zipfile.ZipFile(file) as archive:
            records = archive.infolist()
            roots = {record.filename.partition("/")[0] for record in records}
            names = {record.filename.partition("/")[2] for record in records}
            if archive.comment or len(roots) != 1 or len(names) != len(records):
                raise InputError(f"{path.name} is a zip archive, but not a checkpoint; give the file with the weights")
            if "constants.pkl" in names or any(name.startswith("code/") for name in names):
                raise InputError(f"{path.name} holds a program (TorchScript), which is not run; give plain weights")
            if "data.pkl" not in names:
                raise InputError(f"{path.name} is a zip archive, but not a checkpoint; give the file with the weights")
            for record in records:
                if record.compress_type != zipfile.ZIP_STORED or record.flag_bits & 1:
                    raise InputError(f"{path.name} is compressed or encrypted; torch does not write checkpoints so")
            _check_declared(records, path)
            root = roots.pop()
            if "byteorder" in names and archive.read(f"{root}/byteorder") != b"little":
                raise InputError(f"{path.name} was written on a big-endian machine; save it again on another one")
            return archive.read(f"{root}/data.pkl")
    except (*MALFORMED, zipfile.BadZipFile) as error:
        raise _damaged(path.name) from error


def _check_declared(records: list[zipfile.ZipInfo], path: Path) -> None:
    """Refuse an archive that declares more data than it has."""
    if any(record.file_size != record.compress_size for record in records):
        raise _damaged(path.name)
    if sum(record.file_size for record in records) > path.stat().st_size:
        raise InputError(f"{path.name} declares more data than the file has; get it again from a source that you trust")
    if any(r.file_size > MAX_PICKLE_BYTES and not re.search(r"/data/[^/]+\Z", r.filename) for r in records):
        raise InputError(f"{path.name} holds more beside its tensors than a checkpoint does; save only the weights")


def _check_names(data: bytes, name: str) -> None:
    """Refuse a pickle that refers to anything but plain data, without executing it."""
    try:
        operations = [(code.name, argument) for code, argument, _ in pickletools.genops(data)]
    except MALFORMED as error:
        raise _damaged(name) from error
    if [argument for code, argument in operations if code == "PROTO"] != [PROTOCOL]:
        raise InputError(f"{name} was saved with another pickle protocol than torch's own; save it again without one")
    used = {str(argument).replace(" ", ".") for code, argument in operations if code == "GLOBAL"}
    foreign = sorted(used - set(IGNORED_NAMES) - {n for n in used if PLAIN_NAMES.fullmatch(n)})
    if foreign:
        raise InputError(
            f"{name} refers to {shown(foreign)}, which plain weights do not; nothing of it was run; "
            "get the weights from a source that you trust, or save only its state dict"
        )


def _state_dict(content: object, name: str) -> dict[str, Tensor]:
    """Return the tensors of a container or of a bare state dict."""
    if not isinstance(content, Mapping):
        raise InputError(f"{name} holds no state dict; give a checkpoint with named tensors")
    inside = [key for key in CONTAINERS if isinstance(content.get(key), Mapping)]
    if len(inside) > 1:
        raise InputError(f"{name} holds several state dicts ({', '.join(inside)}); save only the one to use")
    tensors = dict(content[inside[0]] if inside else content)
    others = [key for key, value in tensors.items() if not isinstance(key, str) or not isinstance(value, Tensor)]
    if others or not tensors:
        raise InputError(f"{name} holds no state dict: {shown(others) or 'it is empty'}; give only named tensors")
    return tensors


def _read_safetensors(path: Path, size: int, header: int) -> dict[str, Tensor]:
    if header > min(size - 8, MAX_HEADER_BYTES):
        raise InputError(f"{path.name} declares more data than the file has; get it again from a source that you trust")
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (*MALFORMED, SafetensorError) as error:
        raise _damaged(path.name) from error


def _check_plain(tensors: Mapping[str, Tensor], size: int, name: str) -> None:
    """Refuse tensors that are not what they seem, or that together are more than the file."""
    total = 0
    for key, tensor in tensors.items():
        plain = type(tensor) in (Tensor, nn.Parameter) and tensor.layout is torch.strided
        if not plain or tensor.device.type != "cpu" or not tensor.dtype.is_floating_point or tensor.is_quantized:
            raise InputError(
                f"{shown([key])} in {name} is not a dense tensor of floating-point numbers; save plain weights"
            )
        held = tensor.untyped_storage().nbytes()
        needed = tensor.numel() * tensor.element_size()
        total += needed
        if needed > held or total > size:
            raise InputError(f"{shown([key])} in {name} declares more numbers than the file has; get the file again")


def shown(names: list[Any]) -> str:
    """Return the first few names in one line of plain characters."""
    first = ", ".join(ascii(name)[1:-1][:80] if isinstance(name, str) else ascii(name)[:80] for name in names[:4])
    return f"{first} and {len(names) - 4} more" if len(names) > 4 else first


def _damaged(name: str) -> InputError:
    return InputError(f"{name} is truncated, damaged or not a checkpoint; get the file again")
