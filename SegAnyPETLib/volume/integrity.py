"""Faults of image files that ITK reads over in silence.

ITK fills the voxels that a truncated ``.nii`` or ``.nii.gz`` lacks with whatever the memory holds, takes a corrupt
``.mha`` and many a corrupt ``.nrrd`` for a good one, reads a NIfTI file with a sheared sform by its qform and takes the
voxel size of the header where the sform says another. It also reports nothing when the disk is full while it writes
NIfTI. These checks come before reading and after writing.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.volume import check_orthogonal

CHUNK_BYTES = 1 << 22
#: Largest share by which the scales of an sform differ from the voxel size through rounding.
SCALE_TOLERANCE = 1e-3
NIFTI_HEADER_BYTES = 348
NIFTI2_HEADER_BYTES = 540
META_HEADER_BYTES = 1 << 16
#: Voxels of a NIfTI file begin right after its header and its extensions.
MAX_NIFTI_OFFSET = 1 << 26

#: NIfTI-1's datatypes of whole bytes (nifti1.h); of others its library complains on the terminal.
NIFTI_DATATYPES = (2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2304)
#: numpy's names of NIfTI-1's datatypes of real numbers.
NIFTI_FLOATS = {16: "f4", 64: "f8"}

#: Bytes of a voxel by MetaImage's ElementType.
META_ELEMENT_BYTES = {
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


def check_complete(path: Path, suffix: str, finite: bool = False) -> None:
    """Refuse an image file that is truncated, corrupt or sheared, as far as ITK does not do it.

    Args:
        path: the file.
        suffix: the ending of its name that says the format.
        finite: see `check_nifti`.

    Raises:
        InputError: with the reason.
        OSError: the file cannot be opened.
    """
    if suffix in (".nii", ".nii.gz"):
        check_nifti(path, finite)
    elif suffix == ".mha":
        check_meta(path)
    else:
        check_nrrd(path)


def check_nifti(path: Path, finite: bool = False) -> None:
    """Refuse a NIfTI-1 file (``.nii`` or ``.nii.gz``) that is truncated, corrupt or sheared.

    The whole file is read once; the checksum of a gzip stream is verified on the way.

    Args:
        path: the file.
        finite: refuse voxels that are NaN or infinite too, which ITK would read as zero (ITK issue 6575, item B52).

    Raises:
        InputError: with the reason.
    """
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
        try:
            header = stream.read(NIFTI_HEADER_BYTES)
            expected = _nifti_size(header, path.name)
            present = len(header) + (_count_finite(stream, header, path.name) if finite else _count_bytes(stream))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise damaged(path.name) from error
    if present < expected:
        raise damaged(path.name)


def check_nrrd(path: Path) -> None:
    """Refuse a NRRD file (``.nrrd``) whose attached gzip stream is corrupt; ITK itself tells when voxels are missing.

    Raises:
        InputError: with the reason.
    """
    with path.open("rb") as stream:
        if not stream.readline().startswith(b"NRRD"):
            raise InputError(f"{path.name} is not a NRRD file; give a file in the format that its name says")
        if _nrrd_is_gzip(stream):
            try:
                _count_bytes(gzip.GzipFile(fileobj=stream))
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise damaged(path.name) from error


def _nrrd_is_gzip(stream: BinaryIO) -> bool:
    """Read a NRRD header up to its voxels, and tell whether a gzip stream follows."""
    encoding = b""
    while line := stream.readline().strip():
        key, _, value = line.partition(b":")
        if key == b"encoding":
            encoding = value.strip()
        elif key in (b"data file", b"datafile"):
            return False
    return encoding in (b"gzip", b"gz")


def damaged(name: str) -> InputError:
    """The error for a file whose bytes are not all there or not all right."""
    return InputError(f"{name} is truncated or damaged; copy or export it again")


def _count_bytes(stream: BinaryIO | gzip.GzipFile) -> int:
    count = 0
    while chunk := stream.read(CHUNK_BYTES):
        count += len(chunk)
    return count


def _count_finite(stream: BinaryIO | gzip.GzipFile, header: bytes, name: str) -> int:
    """Bytes after the header, all voxels of which must be finite."""
    order = "<" if header[:4] == struct.pack("<i", NIFTI_HEADER_BYTES) else ">"
    (datatype,) = struct.unpack_from(order + "h", header, 70)
    (offset,) = struct.unpack_from(order + "f", header, 108)
    kind = np.dtype(order + NIFTI_FLOATS[datatype]) if datatype in NIFTI_FLOATS else None
    count = len(stream.read(max(int(offset) - len(header), 0)))
    while chunk := stream.read(CHUNK_BYTES):
        count += len(chunk)
        if kind is not None and not np.isfinite(np.frombuffer(chunk, kind, len(chunk) // kind.itemsize)).all():
            raise InputError(f"{name} holds values that are not numbers (NaN or infinity); replace them and try again")
    return count


def _nifti_size(header: bytes, name: str) -> int:
    """Bytes of a complete NIfTI-1 file; field offsets as in nifti1.h."""
    if len(header) < NIFTI_HEADER_BYTES:
        raise damaged(name)
    sizes = {order: struct.unpack_from(order + "i", header)[0] for order in "<>"}
    if NIFTI2_HEADER_BYTES in sizes.values():
        raise InputError(f"{name} is NIfTI-2; convert it to NIfTI-1 (.nii.gz) or NRRD")
    order = next((order for order, size in sizes.items() if size == NIFTI_HEADER_BYTES), None)
    if order is None or header[344:347] != b"n+1":
        raise InputError(f"{name} is not a NIfTI file; give a file in the format that its name says")
    _check_sform(header, order, name)
    dimensions = struct.unpack_from(order + "8h", header, 40)
    datatype, bits = struct.unpack_from(order + "2h", header, 70)
    (offset,) = struct.unpack_from(order + "f", header, 108)
    if datatype not in NIFTI_DATATYPES or not 0 <= offset <= MAX_NIFTI_OFFSET:  # also where it is NaN
        raise damaged(name)
    return int(offset) + prod(dimensions[1 : dimensions[0] + 1]) * bits // 8


def _check_sform(header: bytes, order: str, name: str) -> None:
    """Refuse an sform that is sheared, or whose scales contradict the voxel size, which ITK would take instead."""
    (sform_code,) = struct.unpack_from(order + "h", header, 254)
    if sform_code <= 0:
        return
    matrix = np.eye(4)
    matrix[:3] = np.reshape(struct.unpack_from(order + "12f", header, 280), (3, 4))
    try:
        check_orthogonal(matrix)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    spacing = np.abs(struct.unpack_from(order + "3f", header, 80))
    if not np.allclose(np.linalg.norm(matrix[:3, :3], axis=0), spacing, rtol=SCALE_TOLERANCE):
        raise InputError(f"{name}: the sform and the voxel size (pixdim) contradict each other; save it again")


def check_meta(path: Path) -> None:
    """Refuse a MetaImage file (``.mha``) that is truncated or corrupt.

    Raises:
        InputError: with the reason.
    """
    with path.open("rb") as stream:
        start = stream.read(META_HEADER_BYTES)
        fields, offset = _meta_fields(start, path.name)
        stream.seek(offset)
        if fields.get(b"CompressedData", b"False").lower() == b"true":
            present = _inflated_size(stream, path.name)
        else:
            present = path.stat().st_size - offset
    if present < _meta_size(fields, path.name):
        raise damaged(path.name)


def _meta_fields(start: bytes, name: str) -> tuple[dict[bytes, bytes], int]:
    """The fields of a MetaImage header and the offset of its voxels."""
    fields: dict[bytes, bytes] = {}
    offset = 0
    for line in start.splitlines(keepends=True):
        offset += len(line)
        key, separator, value = line.partition(b"=")
        if not separator:
            break
        fields[key.strip()] = value.strip()
        if key.strip() == b"ElementDataFile":
            if value.strip() != b"LOCAL":
                raise InputError(f"{name} keeps its voxels in another file; convert it to a single .mha or .nrrd file")
            return fields, offset
    raise InputError(f"{name} is not a MetaImage file; give a file in the format that its name says")


def _meta_size(fields: dict[bytes, bytes], name: str) -> int:
    try:
        voxel = META_ELEMENT_BYTES[fields[b"ElementType"]] * int(fields.get(b"ElementNumberOfChannels", b"1"))
        return voxel * prod(int(size) for size in fields[b"DimSize"].split())
    except (KeyError, ValueError) as error:
        raise damaged(name) from error


def _inflated_size(stream: BinaryIO, name: str) -> int:
    inflate = zlib.decompressobj()
    count = 0
    try:
        while chunk := stream.read(CHUNK_BYTES):
            count += len(inflate.decompress(chunk))
    except zlib.error as error:
        raise damaged(name) from error
    if not inflate.eof:
        raise damaged(name)
    return count
