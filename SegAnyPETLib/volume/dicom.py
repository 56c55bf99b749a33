"""Reading a PET series from a folder of DICOM files; the rescale is applied slice by slice."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels import get_decoder
from pydicom.uid import (
    UID,
    EnhancedPETImageStorage,
    LegacyConvertedEnhancedPETImageStorage,
    PositronEmissionTomographyImageStorage,
)

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom_grid import ijk_to_ras_of, sorted_slices
from SegAnyPETLib.volume.dicom_header import required, required_number, without_identifiers
from SegAnyPETLib.volume.volume import Volume

ENHANCED_PET = (EnhancedPETImageStorage, LegacyConvertedEnhancedPETImageStorage)


@dataclass(frozen=True, eq=False)
class Series:
    """One PET series.

    Attributes:
        volume: rescaled values (float32), in ``"Bq/ml"`` where the tags say so.
        headers: one per slice, in the order of the volume's k axis, without identifiers.
    """

    volume: Volume
    headers: tuple[Dataset, ...]


def read_series(folder: str | Path) -> Series:
    """Read the one PET series that lies in a folder; other files and other modalities there are passed over.

    Raises:
        InputError: there is no PET series or more than one, it is not complete and regular, or a file is damaged.
    """
    folder = Path(folder).resolve()
    slices = sorted_slices(_find_slices(folder))
    headers = [header for _, header in slices]
    matrix = ijk_to_ras_of(headers)
    first = headers[0]
    array = np.empty((len(slices), int(first.Rows), int(first.Columns)), np.float32)
    for plane, (path, header) in zip(array, slices, strict=True):
        plane[...] = _pixels(path) * required_number(header, "RescaleSlope") + required_number(
            header, "RescaleIntercept"
        )
    units = "Bq/ml" if all(header.get("Units") == "BQML" for header in headers) else ""
    return Series(Volume(array, matrix, units), tuple(headers))


def _find_slices(folder: Path) -> list[tuple[Path, Dataset]]:
    """Paths and headers of the PET images in a folder."""
    if not folder.is_dir():
        raise InputError(f"{folder.name} is not a folder; give the folder that holds the PET series")
    slices: list[tuple[Path, Dataset]] = []
    series: set[str] = set()
    modalities: set[str] = set()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with _reading(path):
            header = _read_header(path)
            if header is None:
                continue
            kind = header.file_meta.MediaStorageSOPClassUID
            modalities.add(str(header.get("Modality", "unknown")))
            if kind in ENHANCED_PET:
                raise InputError("the PET is enhanced multi-frame DICOM; export it as single-frame files or as NIfTI")
            if kind == PositronEmissionTomographyImageStorage:
                series.add(str(required(header, "SeriesInstanceUID")))
                slices.append((path, without_identifiers(header)))
    if not slices:
        found = f" (found: {', '.join(sorted(modalities))})" if modalities else ""
        raise InputError(
            f"the folder {folder.name} holds no DICOM PET images{found}; give the folder of the PET series"
        )
    if len(series) > 1:
        raise InputError(f"the folder {folder.name} holds {len(series)} PET series; put each into a folder of its own")
    return slices


def _read_header(path: Path) -> Dataset | None:
    """The header of a DICOM file; None for a file that is no DICOM and does not claim to be."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
    except InvalidDicomError:
        if path.suffix.lower() == ".dcm":
            raise
        return None
    return header if "MediaStorageSOPClassUID" in header.file_meta else None


def _pixels(path: Path) -> NDArray:
    """Stored values (rows, columns) of a slice."""
    with _reading(path):
        dataset = pydicom.dcmread(path)
        syntax = dataset.file_meta.TransferSyntaxUID
        if not _has_decoder(syntax):
            raise InputError(f"{path.name} is compressed ({syntax.name}); export the series uncompressed")
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


def _has_decoder(syntax: UID) -> bool:
    """Whether pydicom knows a transfer syntax and has what it takes to decode it."""
    try:
        return get_decoder(syntax).is_available
    except NotImplementedError:
        return False


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say in one line what is wrong with a file, and drop pydicom's warnings, which may quote the patient's data."""
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
