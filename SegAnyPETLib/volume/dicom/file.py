"""One DICOM file: its header and its pixels, whatever the state of the bytes around them."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_partial
from pydicom.filewriter import write_file_meta_info
from pydicom.pixels import get_decoder
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from SegAnyPETLib.errors import InputError

#: Beginning of the files that macOS leaves beside others on drives that cannot hold its attributes (RFC 1740).
APPLE_DOUBLE = b"\x00\x05\x16\x07"
PREAMBLE_BYTES = 128
#: No slice of a PET is larger, packed or not.
MAX_SLICE_BYTES = 1 << 26
#: Rows and columns of the largest slice.
MAX_ROWS = 4096
#: Elements of a header that are longer are not looked at.
MAX_ELEMENT_BYTES = 1 << 20
#: Reads of a file by its parser, some for each element; real slices have some thousand elements.
MAX_READS = 100_000
#: A segmentation or a structure set has a frame or a contour for each slice of each region.
MAX_OBJECT_BYTES = 1 << 28
#: Reads of such a file by its parser.
MAX_OBJECT_READS = 5_000_000
#: Pixel data, floats and doubles among them, and all after it.
FIRST_PIXEL_TAG = 0x7FE00008
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def read_header(path: Path, keywords: Sequence[str] = ()) -> FileDataset | None:
    """Read the header of a DICOM file, without its pixels.

    Args:
        path: of the file.
        keywords: of all that is needed, which is faster; none for the whole header.

    Returns:
        The header; None if the file is not DICOM and does not claim to be, or is empty.

    Raises:
        InputError: the file is damaged.
    """
    with reading(path), path.open("rb") as stream:
        start = stream.read(PREAMBLE_BYTES + 4)
        stream.seek(0)
        if not start or start.startswith(APPLE_DOUBLE):
            return None
        if start[PREAMBLE_BYTES:] != b"DICM" and not _begins_as_dataset(start):
            if path.suffix.lower() == ".dcm":
                raise InvalidDicomError
            return None
        return _with_syntax(_read(stream, path, keywords=keywords))


def read_pixels(path: Path) -> NDArray:
    """Read the stored values (rows, columns) of a slice.

    Raises:
        InputError: the file is damaged, holds several frames or claims more pixels than it can hold.
    """
    with reading(path), path.open("rb") as stream:
        dataset = _with_syntax(_read(stream, path, with_pixels=True))
        syntax = dataset.file_meta.TransferSyntaxUID
        if not _has_decoder(syntax):
            raise InputError(f"{path.name} is compressed ({syntax.name}); export the series uncompressed")
        _check_claim(dataset, syntax, path)
        try:
            pixels = dataset.pixel_array
        except RuntimeError as error:  # of a decoder for whatever it meets, or of values of an unknown size
            if not syntax.is_compressed:
                raise
            raise InputError(
                f"{path.name} is damaged, or compressed ({syntax.name}) in a way that is not known here; "
                "export the series uncompressed"
            ) from error
    if pixels.ndim != 2:
        raise InputError(f"{path.name} holds several frames or colours; export single-frame PET images")
    return pixels


def read_object(path: Path) -> FileDataset:
    """Read a segmentation or a structure set with all that it holds.

    Raises:
        InputError: the file is damaged, larger than such an object, or not DICOM.
    """
    with reading(path), path.open("rb") as stream:
        if path.stat().st_size > MAX_OBJECT_BYTES:
            raise InputError(f"{path.name} has {path.stat().st_size >> 20} MB, more than segments or contours of a PET")
        inflated = _inflated(stream, path)
        return _with_syntax(read_partial(cast(BinaryIO, _Bounded(inflated, MAX_OBJECT_READS)), force=True))


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM by its beginning, or by its name."""
    if path.suffix.lower() in (".dcm", ".ima"):
        return True
    try:
        with path.open("rb") as stream:
            return stream.read(PREAMBLE_BYTES + 4)[PREAMBLE_BYTES:] == b"DICM"
    except OSError:
        return False


def storage_class(header: Dataset) -> UID | None:
    """Return what kind of object a file holds, by its meta information or else by its header."""
    meta = getattr(header, "file_meta", None) or Dataset()
    value = meta.get("MediaStorageSOPClassUID") or header.get("SOPClassUID")
    return UID(str(value)) if value else None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn errors of reading a file into one line, and drop pydicom's warnings, which may quote the patient's data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except InputError:
            raise
        except OSError as error:
            raise InputError(f"{path.name} cannot be read; check your rights to the file") from error
        except Exception as error:  # pydicom raises many kinds on damaged bytes
            raise InputError(f"{path.name} is truncated or damaged; copy or export the series again") from error


def _begins_as_dataset(start: bytes) -> bool:
    """Whether bytes without a preamble begin with an element of group 2 or 8, as DICOM written without its header."""
    group, element = start[:2], start[2:4]
    return len(start) > 12 and group in (b"\x02\x00", b"\x08\x00") and element[1:] == b"\x00"


def _with_syntax(dataset: FileDataset) -> FileDataset:
    """Say how a data set is encoded that does not say it itself."""
    meta = dataset.file_meta
    if "TransferSyntaxUID" not in meta:
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return dataset


def _read(stream: BinaryIO, path: Path, with_pixels: bool = False, keywords: Sequence[str] = ()) -> FileDataset:
    size = path.stat().st_size
    if with_pixels and size > MAX_SLICE_BYTES:
        raise InputError(f"{path.name} has {size >> 20} MB, more than a slice of a PET; export single-frame images")
    bounded = cast(BinaryIO, _Bounded(_inflated(stream, path)))
    if with_pixels:
        return read_partial(bounded, force=True)
    if not keywords:
        return read_partial(bounded, stop_when=_at_pixels, defer_size=MAX_ELEMENT_BYTES, force=True)
    tags: list[BaseTag | int] = [Tag(keyword) for keyword in keywords]
    last = max(tags)
    return read_partial(
        bounded, lambda tag, _vr, _length: tag > last, MAX_ELEMENT_BYTES, force=True, specific_tags=tags
    )


def _at_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag >= FIRST_PIXEL_TAG


class _Bounded:
    """A file that is read a limited number of times: zeros are empty elements without end to a parser."""

    def __init__(self, stream: BinaryIO, most: int = MAX_READS) -> None:
        self._stream = stream
        self._most = most
        self._reads = 0
        self.seek = stream.seek
        self.tell = stream.tell
        self.close = stream.close

    def read(self, size: int = -1) -> bytes:
        """Read as the file does.

        Raises:
            InvalidDicomError: the file has more elements than it can have.
        """
        self._reads += 1
        if self._reads > self._most:
            raise InvalidDicomError
        return self._stream.read(size)


def _inflated(stream: BinaryIO, path: Path) -> BinaryIO:
    """Return a file whose deflated data set is unpacked, up to the size of a slice; any other as it is."""
    start = stream.read(PREAMBLE_BYTES + 4)
    stream.seek(0)
    if start[PREAMBLE_BYTES:] != b"DICM":
        return stream
    meta = pydicom.filereader.read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return stream
    stream.seek(PREAMBLE_BYTES + 4 + 12 + int(meta.FileMetaInformationGroupLength))
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflate.decompress(stream.read(MAX_SLICE_BYTES), MAX_SLICE_BYTES)
    if not inflate.eof and inflate.unconsumed_tail:
        raise InputError(f"{path.name} unpacks to more than a slice of a PET; export the series uncompressed")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    rewritten = DicomBytesIO()
    write_file_meta_info(rewritten, meta)
    return io.BytesIO(start + rewritten.getvalue() + content)


def _check_claim(dataset: FileDataset, syntax: UID, path: Path) -> None:
    """Refuse a size that the file cannot hold, before memory is given to it."""
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    if not (0 < rows <= MAX_ROWS and 0 < columns <= MAX_ROWS):
        raise InputError(f"{path.name} claims {rows} x {columns} pixels, which no PET has; export the series again")
    held = max((len(dataset[keyword].value) for keyword in PIXEL_KEYWORDS if keyword in dataset), default=0)
    if not syntax.is_encapsulated and rows * columns * int(dataset.BitsAllocated) // 8 > held:
        raise InvalidDicomError


def _has_decoder(syntax: UID) -> bool:
    """Whether pydicom knows a transfer syntax and has what it takes to decode it."""
    try:
        return get_decoder(syntax).is_available
    except NotImplementedError:
        return False
