"""NRRD files (``.nrrd``) that point elsewhere, are not whole, or claim more than they hold.

Fields are those of http://teem.sourceforge.net/nrrd/format.html; teem, which ITK reads with, does not care about their
case, follows ``data file`` to any path, and gives memory to all voxels before it looks for them.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.integrity.limits import check_packing, check_voxels, damaged
from SegAnyPETLib.volume.notes import Note, NoteKind
from SegAnyPETLib.volume.volume import check_orthogonal

CHUNK_BYTES = 1 << 22
#: Lines of a header; 1,000 segments have 9 each. ITK looks at each line again for every other.
MAX_HEADER_LINES = 12_000
#: Tags of 1,000 segments with their prompts fit into this.
MAX_HEADER_BYTES = 1 << 24

#: Bytes of a value by its type, whose names have many spellings.
BYTES_OF_TYPE = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), 1),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), 4),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), 4),
    **dict.fromkeys(("longlong", "long long", "long long int"), 8),
    **dict.fromkeys(("signed long long", "signed long long int", "int64", "int64_t"), 8),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), 8),
    "float": 4,
    "double": 8,
}

GZIP = ("gzip", "gz")
#: Least bytes of a file per byte of voxels, or per value for text: a digit and a space.
TEXT = ("txt", "text", "ascii")


@dataclass(frozen=True)
class NrrdHeader:
    """The fields of a header, names in small letters without spaces, and where the voxels begin."""

    fields: Mapping[str, str]
    offset: int


def inspect_nrrd(path: Path, limits: bool = True) -> tuple[Note, ...]:
    """Refuse a NRRD file that keeps its voxels elsewhere, is truncated or corrupt, or is too large.

    Args:
        path: the file.
        limits: whether its size is limited, as that of a file of unknown origin is.

    Returns:
        A note if the file does not say its voxel size.

    Raises:
        InputError: with the reason.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as stream:
        header = _read_header(stream, path.name)
        encoding = header.fields.get("encoding", "").lower()
        if encoding in ("bzip2", "bz2"):
            raise InputError(f"{path.name} is packed by bzip2, which is not supported; save it with gzip")
        values, value_bytes = _claimed(header, path.name, limits)
        if limits:
            check_packing(path, values * value_bytes)
        _check_present(stream, header, encoding, values, value_bytes, path)
    _check_directions(header, path.name)
    return _spacing_notes(header, path.name)


def _read_header(stream: BinaryIO, name: str) -> NrrdHeader:
    if not stream.readline(64).startswith(b"NRRD"):
        raise InputError(f"{name} is not a NRRD file; give a file in the format that its name says")
    fields: dict[str, str] = {}
    lines = 0
    while line := stream.readline(MAX_HEADER_BYTES):
        if stream.tell() > MAX_HEADER_BYTES:
            raise InputError(f"{name} has a header of more than {MAX_HEADER_BYTES >> 20} MB; export it again")
        lines += 1
        if lines > MAX_HEADER_LINES:
            raise InputError(f"{name} has a header of more than {MAX_HEADER_LINES} lines; split it into several files")
        text = line.strip()
        if not text:
            break
        key, _, value = text.partition(b":")
        field = key.decode("utf-8", "replace").lower().replace(" ", "").replace("\t", "")
        if field == "datafile":
            raise InputError(f"{name} keeps its voxels in another file; convert it to a single .nrrd file")
        if not value.startswith(b"=") and not text.startswith(b"#"):
            fields[field] = value.decode("utf-8", "replace").strip()
    return NrrdHeader(fields, stream.tell())


def _claimed(header: NrrdHeader, name: str, limits: bool) -> tuple[int, int]:
    """Return the number of values and the bytes of one."""
    try:
        sizes = [int(size) for size in header.fields["sizes"].split()]
        value_bytes = BYTES_OF_TYPE[" ".join(header.fields["type"].lower().split())]
    except (KeyError, ValueError) as error:
        raise damaged(name) from error
    if limits:
        return check_voxels(sizes, name), value_bytes
    count = 1
    for size in sizes:
        count *= size
    return count, value_bytes


def _check_present(
    stream: BinaryIO, header: NrrdHeader, encoding: str, values: int, value_bytes: int, path: Path
) -> None:
    """Refuse a file that does not hold the voxels that it claims, before memory is given to them."""
    remaining = path.stat().st_size - header.offset
    skips = any(header.fields.get(field, "0") != "0" for field in ("lineskip", "byteskip"))
    if encoding in GZIP:
        if not skips and _inflated_bytes(stream, values * value_bytes, path.name) < values * value_bytes:
            raise damaged(path.name)
    elif remaining + 1 < 2 * values if encoding in TEXT else remaining < values * value_bytes:
        raise damaged(path.name)


def _inflated_bytes(stream: BinaryIO, wanted: int, name: str) -> int:
    """Count the bytes of a gzip stream up to those that are wanted; its checksum is compared if it ends there."""
    count = 0
    try:
        unpacked = gzip.GzipFile(fileobj=stream)
        while count <= wanted and (chunk := unpacked.read(CHUNK_BYTES)):
            count += len(chunk)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged(name) from error
    return count


def _check_directions(header: NrrdHeader, name: str) -> None:
    """Refuse sheared axes; ITK refuses what else is wrong with them."""
    vectors = header.fields.get("spacedirections", "").split("(")[1:]
    try:
        axes = [[float(number) for number in vector.split(")")[0].split(",")] for vector in vectors]
    except ValueError as error:
        raise damaged(name) from error
    if [len(axis) for axis in axes] != [3, 3, 3]:
        return
    matrix = np.eye(4)
    matrix[:3, :3] = np.transpose(axes)
    try:
        check_orthogonal(matrix)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _spacing_notes(header: NrrdHeader, name: str) -> tuple[Note, ...]:
    if "spacedirections" in header.fields or "spacings" in header.fields:
        return ()
    return (Note(NoteKind.GEOMETRY, f"{name} does not say its voxel size; 1 mm is taken, so volumes may be wrong"),)
