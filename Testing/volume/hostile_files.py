"""Files that lie about their size, their place or their kind, by name; none is large itself."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from SegAnyPETLib.volume.segmentation import Segment, write_segmentation
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_fixtures import counting_voxels, write_series
from Testing.volume.files import write

VOXELS = counting_voxels()


def _nifti(**fields: tuple[int, str, tuple]) -> bytes:
    """A NIfTI-1 file of 20 x 20 x 20 floats of 1, with some fields overwritten: offset, format, values."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 20, 20, 20, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 16, 32)
    struct.pack_into("<4f", header, 76, 1, 3, 3, 3)
    struct.pack_into("<f", header, 108, 352)
    struct.pack_into("<2h", header, 252, 1, 1)
    struct.pack_into("<12f", header, 280, 3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 3, 0)
    header[344:348] = b"n+1\0"
    for offset, kind, values in fields.values():
        struct.pack_into("<" + kind, header, offset, *values)
    return bytes(header) + np.ones(8000, "<f4").tobytes()


def _nrrd(*lines: str, sizes: str = "20 20 20", encoding: str = "raw", body: bytes = bytes(32000)) -> bytes:
    head = ["NRRD0004", "type: float", "dimension: 3", "space: left-posterior-superior", f"sizes: {sizes}"]
    head += ["space directions: (3,0,0) (0,3,0) (0,0,3)", "endian: little", f"encoding: {encoding}", *lines, "", ""]
    return "\n".join(head).encode() + body


def _meta(sizes: str = "20 20 20", data: str = "LOCAL", body: bytes = bytes(32000), **fields: str) -> bytes:
    head = ["ObjectType = Image", "NDims = 3", "BinaryData = True", "ElementSpacing = 3 3 3", f"DimSize = {sizes}"]
    head += [f"{key} = {value}" for key, value in fields.items()]
    return "\n".join([*head, "ElementType = MET_FLOAT", f"ElementDataFile = {data}", ""]).encode() + body


def _zeros(count: int) -> bytes:
    """A gzip stream of so many zeros, made in pieces."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = bytes(1 << 22)
    parts = [deflate.compress(piece) for _ in range(count >> 22)]
    return b"".join([*parts, deflate.flush()])


def _packed_zlib(count: int) -> bytes:
    deflate = zlib.compressobj(9)
    piece = bytes(1 << 22)
    return b"".join([*(deflate.compress(piece) for _ in range(count >> 22)), deflate.flush()])


def _sparse(path: Path, head: bytes, size: int) -> None:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)


def _gzip_bomb(path: Path) -> None:
    header = _nifti(dim=(40, "4h", (3, 1000, 1000, 500)))[:352]
    path.write_bytes(gzip.compress(header) + _zeros(200_000_000))


def _series(**options) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        write_series(folder, VOXELS, **options)

    return make


def _tag(keyword: str, value: object, only: int | None = None) -> Callable[[Path], None]:
    def edit(image, k):
        if only in (None, k):
            setattr(image, keyword, value)

    return _series(edit=edit)


def _huge_slices(folder: Path) -> None:
    def edit(image, k):
        image.Rows = image.Columns = 65535

    write_series(folder, VOXELS, edit=edit)


def _deflated(folder: Path) -> None:
    def edit(image, k):
        image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        if k == 0:
            image.add_new(0x00091001, "OB", bytes(80 << 20))

    write_series(folder, VOXELS, edit=edit)


def _packed_large(folder: Path) -> None:
    def edit(image, k):
        image.compress(RLELossless)
        image.Rows = image.Columns = 60000

    write_series(folder, VOXELS, edit=edit)


def _with_file(name: str, content: bytes) -> Callable[[Path], None]:
    """A series beside which a file lies."""

    def make(folder: Path) -> None:
        write_series(folder, VOXELS)
        (folder / name).write_bytes(content)

    return make


def _with_zeros(head: bytes) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        write_series(folder, VOXELS)
        _sparse(folder / "zeros.dcm", head, 8 << 30)

    return make


def _segments(count: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        write_segmentation(Volume(np.zeros((8, 8, 8)), np.eye(4)), [Segment("a", np.ones((8, 8, 8), bool))], path)
        head, body = path.read_bytes().split(b"\n\n", 1)
        more = [f"Segment{n}_ID:=S{n}\nSegment{n}_LabelValue:=1\nSegment{n}_Layer:=0" for n in range(1, count)]
        path.write_bytes(head + b"\n" + "\n".join(more).encode() + b"\n\n" + body)

    return make


def _content(content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(content)

    return make


def _pipe(path: Path) -> None:
    os.mkfifo(path.parent / "pipe")
    path.write_bytes(_nrrd("data file: pipe"))


def _cut(suffix: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        whole = write(path.parent, suffix, np.ones((20, 20, 20), np.float32)).rename(path)
        path.write_bytes(whole.read_bytes()[:-40])

    return make


#: Name of a file or folder, and what makes it.
HOSTILE: dict[str, Callable[[Path], None]] = {
    # NIfTI
    "bitpix.nii": _content(_nifti(bits=(72, "h", (8,)))[: 352 + 8000]),
    "bitpix.nii.gz": _content(gzip.compress(_nifti(bits=(72, "h", (16,)))[: 352 + 16000])),
    "bomb.nii.gz": _gzip_bomb,
    "claims_more.nii": _content(_nifti(dim=(40, "4h", (3, 32000, 32000, 32000)))),
    "claims_much.nii": _content(_nifti(dim=(40, "4h", (3, 1000, 1000, 1000)))),
    "sparse.nii": lambda path: _sparse(path, _nifti(dim=(40, "4h", (3, 1000, 1000, 1000)))[:352], 4_000_000_352),
    "axis_zero.nii": _content(_nifti(dim=(40, "4h", (3, 20, 0, 20)))),
    "axis_below_zero.nii": _content(_nifti(dim=(40, "4h", (3, 20, -20, -20)))),
    "many_axes.nii": _content(_nifti(dim=(40, "h", (99,)))),
    "offset_far.nii": _content(_nifti(offset=(108, "f", (1e9,)))),
    "offset_nan.nii": _content(_nifti(offset=(108, "f", (np.nan,)))),
    "moved.nii": _content(_nifti(qoffset=(276, "f", (500.0,)))),
    "mirrored.nii": _content(_nifti(srow=(280, "f", (-3.0,)))),
    "pixdim_below_zero.nii": _content(_nifti(pixdim=(88, "f", (-3.0,)))),
    "sheared.nii": _content(_nifti(srow=(284, "f", (2.0,)))),
    "place.nii": _content(_nifti(codes=(252, "2h", (0, 1)), srow=(292, "f", (1e30,)))),
    "pair.nii": _content(_nifti(magic=(344, "3s", (b"ni1",)))),
    "second.nii": _content(struct.pack("<i", 540) + bytes(1000)),
    "rgb.nii": _content(_nifti(kind=(70, "2h", (128, 24)))),
    "complex.nii": _content(_nifti(kind=(70, "2h", (32, 64))) + bytes(32000)),
    "unknown_type.nii": _content(_nifti(kind=(70, "2h", (7, 32)))),
    "infinite.nii": _content(_nifti()[:-4] + struct.pack("<f", np.inf)),
    "nan_everywhere.nii": _content(_nifti()[:352] + np.full(8000, np.nan, "<f4").tobytes()),
    "zero_everywhere.nii": _content(_nifti()[:352] + bytes(32000)),
    "not_gzip.nii.gz": _content(_nifti()),
    "gzip.nii": _content(gzip.compress(_nifti())),
    "junk_after.nii.gz": _content(gzip.compress(_nifti())[:-6]),
    "text.nii.gz": _content(b"patient list\n" * 100),
    "empty.nii": _content(b""),
    "cut.nii": _cut(".nii"),
    # NRRD
    "passwd.nrrd": _content(_nrrd("data file: /etc/passwd")),
    "capitals.nrrd": _content(_nrrd("DATAFILE: /etc/passwd")),
    "zero_device.nrrd": _content(_nrrd("Data File: /dev/zero")),
    "pipe.nrrd": _pipe,
    "list.nrrd": _content(_nrrd("data file: LIST\n/etc/passwd\n/etc/group")),
    "passwd.seg.nrrd": _content(_nrrd("data file: /etc/passwd")),
    "claims_more.nrrd": _content(_nrrd(sizes="100000 100000 100000")),
    "claims_much.nrrd": _content(_nrrd(sizes="1000 1000 1000")),
    "claims_some.nrrd": _content(_nrrd(sizes="300 300 300")),
    "bomb.nrrd": _content(_nrrd(sizes="800 800 800", encoding="gzip", body=gzip.compress(bytes(1 << 24)))),
    "bzip2.nrrd": _content(_nrrd(encoding="bzip2")),
    "comment.nrrd": lambda path: _sparse(path, _nrrd("#")[:-32002], 200 << 20),
    "text_claims.nrrd": _content(_nrrd(sizes="300 300 300", encoding="ascii", body=b"1 2 3")),
    "segments.seg.nrrd": _segments(20_000),
    "thousand.seg.nrrd": _segments(1_100),
    "cut.nrrd": _cut(".nrrd"),
    # MetaImage
    "passwd.mha": _content(_meta(data="/etc/passwd")),
    "claims_more.mha": _content(_meta(sizes="100000 100000 100000")),
    "claims_much.mha": _content(_meta(sizes="700 700 700", CompressedData="True", body=_packed_zlib(1 << 26))),
    "claims_some.mha": _content(_meta(sizes="300 300 300")),
    "bomb.mha": _content(_meta(CompressedData="True", body=_packed_zlib(1 << 28))[:-10]),
    "below_zero.mha": _content(_meta(sizes="20 -20 -20")),
    "cut.mha": _cut(".mha"),
    # other kinds
    "half.hdr": _content(_nifti()),
    "half.img": _content(bytes(32000)),
    "apart.mhd": _content(_meta(data="apart.raw")),
    "apart.nhdr": _content(_nrrd("data file: apart.raw")),
    # DICOM
    "huge_slices": _huge_slices,
    "packed_large": _packed_large,
    "deflated_bomb": _deflated,
    "zeros": _with_zeros(b""),
    "zeros_with_head": _with_zeros(bytes(128) + b"DICM"),
    "short_file_beside": _with_file("x.dcm", bytes(128) + b"DICM" + bytes(20)),
    "position": _tag("ImagePositionPatient", ["1e30", "0", "0"], only=1),
    "not_a_slope": _tag("RescaleSlope", "0", only=9),
    "spacing": _tag("PixelSpacing", ["0", "0"]),
}
