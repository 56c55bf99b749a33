"""MetaImage files (``.mha``) that point elsewhere or are not whole; ITK takes many a corrupt one for a good one."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.integrity.limits import check_packing, check_voxels, damaged
from SegAnyPETLib.volume.notes import Note, NoteKind
from SegAnyPETLib.volume.volume import check_orthogonal

CHUNK_BYTES = 1 << 22
HEADER_BYTES = 1 << 16

#: Bytes of a voxel by MetaImage's ElementType.
ELEMENT_BYTES = {
    b"MET_CHAR": 1,
    b"MET_UCHAR": 1,
    b"MET_SHORT": 2,
    b"MET_USHORT": 2,
    b"MET_INT": 4,
    b"MET_UINT": 4,
    b"MET_LONG": 4,
    b"MET_ULONG": 4,
    b"MET_LONG_LONG": 8,
    b"MET_ULONG_LONG": 8,
    b"MET_FLOAT": 4,
    b"MET_DOUBLE": 8,
}


def inspect_meta(path: Path, limits: bool = True) -> tuple[Note, ...]:
    """Refuse a MetaImage file that keeps its voxels elsewhere, is truncated or corrupt, or is too large.

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
        fields, offset = _fields(stream.read(HEADER_BYTES), path.name)
        wanted = _claimed_bytes(fields, path.name, limits)
        if limits:
            check_packing(path, wanted)
        stream.seek(offset)
        if fields.get(b"CompressedData", b"False").lower() == b"true":
            present = _inflated_bytes(stream, wanted, path.name)
        else:
            present = path.stat().st_size - offset
    if present < wanted:
        raise damaged(path.name)
    _check_directions(fields, path.name)
    if b"ElementSpacing" in fields or b"ElementSize" in fields:
        return ()
    message = f"{path.name} does not say its voxel size; 1 mm is taken, so volumes may be wrong"
    return (Note(NoteKind.GEOMETRY, message),)


def _check_directions(fields: dict[bytes, bytes], name: str) -> None:
    """Refuse sheared axes; ITK refuses what else is wrong with them."""
    spellings = (b"TransformMatrix", b"Rotation", b"Orientation")
    value = next((fields[field] for field in spellings if field in fields), b"")
    try:
        numbers = [float(number) for number in value.split()]
    except ValueError as error:
        raise damaged(name) from error
    if len(numbers) != 9:
        return
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(numbers, (3, 3)).T
    try:
        check_orthogonal(matrix)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _fields(start: bytes, name: str) -> tuple[dict[bytes, bytes], int]:
    """Return the fields of a header and the offset of the voxels."""
    fields: dict[bytes, bytes] = {}
    offset = 0
    for line in start.splitlines(keepends=True):
        offset += len(line)
        key, separator, value = line.partition(b"=")
        if not separator:
            break
        if key.strip().startswith(b"ElementDataFile"):
            if key.strip() != b"ElementDataFile" or value.strip() != b"LOCAL":
                raise InputError(f"{name} keeps its voxels in another file; convert it to a single .mha or .nrrd file")
            return fields, offset
        fields[key.strip()] = value.strip()
    raise InputError(f"{name} is not a MetaImage file; give a file in the format that its name says")


def _claimed_bytes(fields: dict[bytes, bytes], name: str, limits: bool) -> int:
    try:
        voxel = ELEMENT_BYTES[fields[b"ElementType"]] * int(fields.get(b"ElementNumberOfChannels", b"1"))
        sizes = [int(size) for size in fields[b"DimSize"].split()]
    except (KeyError, ValueError) as error:
        raise damaged(name) from error
    if limits:
        return voxel * check_voxels(sizes, name)
    count = voxel
    for size in sizes:
        count *= size
    return count


def _inflated_bytes(stream: BinaryIO, wanted: int, name: str) -> int:
    """Count the bytes of a zlib stream in pieces; refuse one that is corrupt or goes on beyond what is wanted."""
    inflate = zlib.decompressobj()
    count = 0
    packed = b""
    try:
        while packed or (packed := stream.read(CHUNK_BYTES)):
            count += len(inflate.decompress(packed, CHUNK_BYTES))
            packed = inflate.unconsumed_tail
            if inflate.eof or count > wanted:
                break
    except zlib.error as error:
        raise damaged(name) from error
    if not inflate.eof:
        raise damaged(name)
    return count
