"""NIfTI files (``.nii``, ``.nii.gz``) that contradict themselves or are not whole; field offsets as in nifti1.h.

ITK fills the voxels that a truncated file lacks with whatever the memory holds, takes its data type from one field and
its size from another, chooses between two contradicting orientations, and reads NaN as zero (ITK issue 6575, item B52).
"""

from __future__ import annotations

import gzip
import struct
import zlib
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.integrity.limits import check_packing, check_voxels, damaged
from SegAnyPETLib.volume.notes import Note, NoteKind
from SegAnyPETLib.volume.volume import apply_matrix, check_orthogonal

CHUNK_BYTES = 1 << 22
#: Largest share by which the scales of an sform differ from the voxel size through rounding.
SCALE_TOLERANCE = 1e-3
#: Largest distance in voxels by which qform and sform place a corner apart through rounding.
PLACE_TOLERANCE = 0.5
NIFTI_HEADER_BYTES = 348
NIFTI2_HEADER_BYTES = 540
#: Voxels of a NIfTI file begin right after its header and its extensions.
MAX_NIFTI_OFFSET = 1 << 26

#: Bytes of a voxel by NIfTI-1's datatype, those of whole bytes; of others its library complains on the terminal.
DATATYPE_BYTES = {
    2: 1,
    4: 2,
    8: 4,
    16: 4,
    32: 8,
    64: 8,
    128: 3,
    256: 1,
    512: 2,
    768: 4,
    1024: 8,
    1280: 8,
    1536: 16,
    1792: 16,
    2048: 32,
    2304: 4,
}
#: numpy's names of NIfTI-1's datatypes of real numbers.
FLOATS = {16: "f4", 64: "f8"}

NOT_FINITE = "holds values that are not numbers (infinity); replace them and try again"


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What is needed of a header.

    Attributes:
        order: byte order, ``"<"`` or ``">"``.
        datatype: NIfTI-1's code.
        sizes: voxels along the axes, i first.
        offset: where the voxels begin.
        notes: doubts about the orientation.
    """

    order: str
    datatype: int
    sizes: tuple[int, ...]
    offset: int
    notes: tuple[Note, ...] = ()

    @property
    def voxel_bytes(self) -> int:
        """Bytes of all voxels."""
        return int(np.prod(self.sizes, dtype=object)) * DATATYPE_BYTES[self.datatype]


@dataclass(frozen=True, eq=False)
class FileFacts:
    """What a check of a file found that ITK does not tell.

    Attributes:
        notes: doubts about the file.
        nan: in the order of the file, which voxels are NaN although ITK reads zero; None if none is.
    """

    notes: tuple[Note, ...] = ()
    nan: NDArray[np.bool_] | None = field(default=None)


def inspect_nifti(path: Path, limits: bool = True) -> FileFacts:
    """Refuse a NIfTI-1 file that is truncated, corrupt, sheared or contradicts itself, or is too large.

    The whole file is read once; the checksum of a gzip stream is verified on the way.

    Args:
        path: the file.
        limits: whether its size is limited, as that of a file of unknown origin is.

    Raises:
        InputError: with the reason.
        OSError: the file cannot be opened.
    """
    packed = path.name.lower().endswith(".gz")
    _check_packed(path, packed)
    with closing(cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")) as stream:
        try:
            header = _read_header(stream.read(NIFTI_HEADER_BYTES), path.name)
            if limits:
                check_voxels(header.sizes, path.name)
                check_packing(path, header.voxel_bytes)
            before = len(stream.read(header.offset - NIFTI_HEADER_BYTES)) if header.offset > NIFTI_HEADER_BYTES else 0
            present, nan = _read_voxels(stream, header, path.name, finite=limits)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise damaged(path.name) from error
    if before + present < header.offset - NIFTI_HEADER_BYTES + header.voxel_bytes:
        raise damaged(path.name)
    return FileFacts(header.notes, nan)


def _check_packed(path: Path, packed: bool) -> None:
    """Refuse a file whose name lies about compression."""
    with path.open("rb") as stream:
        start = stream.read(NIFTI_HEADER_BYTES)
    is_gzip = start[:2] == b"\x1f\x8b"
    if is_gzip and not packed:
        raise InputError(f"{path.name} is compressed by gzip; rename it to end in .nii.gz")
    if packed and not is_gzip and start[344:347] == b"n+1":
        raise InputError(f"{path.name} is not compressed; rename it to end in .nii")


def _read_header(header: bytes, name: str) -> NiftiHeader:
    if len(header) < NIFTI_HEADER_BYTES:
        raise damaged(name)
    sizes = {order: struct.unpack_from(order + "i", header)[0] for order in "<>"}
    if NIFTI2_HEADER_BYTES in sizes.values():
        raise InputError(f"{name} is NIfTI-2; convert it to NIfTI-1 (.nii.gz) or NRRD")
    order = next((order for order, size in sizes.items() if size == NIFTI_HEADER_BYTES), None)
    if order is not None and header[344:347] == b"ni1":
        raise InputError(f"{name} keeps its voxels in another file; convert it to a single .nii.gz file")
    if order is None or header[344:347] != b"n+1":
        raise InputError(f"{name} is not a NIfTI file; give a file in the format that its name says")
    count, *lengths = struct.unpack_from(order + "8h", header, 40)
    datatype, bits = struct.unpack_from(order + "2h", header, 70)
    (offset,) = struct.unpack_from(order + "f", header, 108)
    if datatype not in DATATYPE_BYTES or not 1 <= count <= 7 or min(lengths[:count]) < 1:
        raise damaged(name)
    if not 0 <= offset <= MAX_NIFTI_OFFSET:  # also if it is NaN
        raise damaged(name)
    if bits != 8 * DATATYPE_BYTES[datatype]:
        raise InputError(f"{name}: the data type and its size (bitpix) contradict each other; save it again")
    shape = tuple(lengths[:count])
    notes = _orientation_notes(header, order, shape, name)
    return NiftiHeader(order, datatype, shape, max(int(offset), NIFTI_HEADER_BYTES), notes)


def _orientation_notes(header: bytes, order: str, sizes: tuple[int, ...], name: str) -> tuple[Note, ...]:
    """Refuse an orientation that contradicts itself; return a note if there is none."""
    qform_code, sform_code = struct.unpack_from(order + "2h", header, 252)
    spacing = np.array(struct.unpack_from(order + "3f", header, 80), np.float64)
    if (spacing[: len(sizes)] < 0).any():
        raise InputError(
            f"{name}: a voxel size (pixdim) is below zero, so that the axis could run either way; save it again"
        )
    sform = _check_sform(header, order, spacing, name) if sform_code > 0 else None
    if sform is not None and qform_code > 0:
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in (*sizes, 1, 1)[:3]])).reshape(3, -1).T
        apart = apply_matrix(sform, corners) - apply_matrix(_qform(header, order, spacing), corners)
        if not np.abs(apart).max() <= PLACE_TOLERANCE * spacing.min():
            raise InputError(
                f"{name}: its two orientations (qform and sform) place it differently; keep the right one of them"
            )
    if qform_code <= 0 and sform_code <= 0:
        message = f"{name} does not say its orientation (qform and sform have code 0); left and right may be swapped"
        return (Note(NoteKind.GEOMETRY, message),)
    return ()


def _check_sform(header: bytes, order: str, spacing: NDArray, name: str) -> NDArray:
    """Return the sform; refuse one that is sheared, or whose scales contradict the voxel size, which ITK would take."""
    matrix = np.eye(4)
    matrix[:3] = np.reshape(struct.unpack_from(order + "12f", header, 280), (3, 4))
    try:
        check_orthogonal(matrix)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    if not np.allclose(np.linalg.norm(matrix[:3, :3], axis=0), spacing, rtol=SCALE_TOLERANCE):
        raise InputError(f"{name}: the sform and the voxel size (pixdim) contradict each other; save it again")
    return matrix


def _qform(header: bytes, order: str, spacing: NDArray) -> NDArray:
    """Return the matrix of the quaternion, as nifti1.h computes it."""
    b, c, d, *origin = struct.unpack_from(order + "6f", header, 256)
    (qfac,) = struct.unpack_from(order + "f", header, 76)
    squares = b * b + c * c + d * d
    a = np.sqrt(max(0.0, 1.0 - squares))
    if 1.0 - squares < 1e-7:
        b, c, d = np.array([b, c, d]) / np.sqrt(squares)
        a = 0.0
    axes = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = axes * spacing * (1.0, 1.0, -1.0 if qfac < 0 else 1.0)
    matrix[:3, 3] = origin
    return matrix


def _read_voxels(
    stream: BinaryIO, header: NiftiHeader, name: str, finite: bool
) -> tuple[int, NDArray[np.bool_] | None]:
    """Count the bytes after the offset; if asked, say which voxels are NaN and refuse infinite ones."""
    kind = np.dtype(header.order + FLOATS[header.datatype]) if finite and header.datatype in FLOATS else None
    count = 0
    found = False
    missing: list[NDArray[np.bool_]] = []
    while count < header.voxel_bytes and (chunk := stream.read(min(CHUNK_BYTES, header.voxel_bytes - count))):
        count += len(chunk)
        if kind is None:
            continue
        values = np.frombuffer(chunk, kind, len(chunk) // kind.itemsize)
        if np.isinf(values).any():
            raise InputError(f"{name} {NOT_FINITE}")
        missing.append(np.isnan(values))
        found = found or bool(missing[-1].any())
    stream.read(CHUNK_BYTES)  # the checksum of a gzip stream is compared at its end
    return count, np.concatenate(missing) if found else None
