"""Reading a PET series from a folder of DICOM files; the rescale is applied slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import MediaStorageDirectoryStorage, PositronEmissionTomographyImageStorage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom.file import MAX_ROWS, read_header, read_pixels, reading, storage_class
from SegAnyPETLib.volume.dicom.grid import ijk_to_ras_of, sorted_slices
from SegAnyPETLib.volume.dicom.header import required, required_number, without_identifiers
from SegAnyPETLib.volume.dicom.study import ENHANCED_PET, find_series
from SegAnyPETLib.volume.integrity.limits import check_voxels
from SegAnyPETLib.volume.units import BQML_UNITS, Units
from SegAnyPETLib.volume.volume import Volume


@dataclass(frozen=True, eq=False)
class Series:
    """One PET series.

    Attributes:
        volume: rescaled values (float32), in `BQML_UNITS` if the tags say so.
        headers: one per slice, in the order of the volume's k axis, without identifiers.
        files: of the slices, in the same order.
    """

    volume: Volume
    headers: tuple[Dataset, ...]
    files: tuple[Path, ...] = ()


def read_series(folder: str | Path, wish: str = "") -> Series:
    """Read a PET series that lies in a folder or beneath; other files and other modalities there are passed over.

    Args:
        folder: of the series or its study.
        wish: which series, as for `Study.chosen`.

    Raises:
        InputError: there is no PET series, or not a clear one; it is not complete and regular, or a file is damaged.
    """
    study = find_series(folder)
    return read_files(study.chosen(wish).files, study.where)


def read_files(paths: Sequence[Path], where: str = "the list") -> Series:
    """Read the one PET series among files; others are passed over.

    Args:
        paths: of the files, in any order.
        where: they come from, for messages.

    Raises:
        InputError: as for `read_series`.
    """
    slices = sorted_slices(_find_slices(paths, where))
    headers = [header for _, header in slices]
    matrix = ijk_to_ras_of(headers)
    first = headers[0]
    array = np.empty(_shape(len(slices), first, where), np.float32)
    for plane, (path, header) in zip(array, slices, strict=True):
        pixels = read_pixels(path)
        if pixels.shape != plane.shape:
            raise InputError(f"{path.name} changed while it was read; read the series again")
        plane[...] = pixels * required_number(header, "RescaleSlope") + required_number(header, "RescaleIntercept")
    units: Units = BQML_UNITS if all(header.get("Units") == "BQML" for header in headers) else ""
    return Series(Volume(array, matrix, units), tuple(headers), tuple(path for path, _ in slices))


def _shape(slices: int, header: Dataset, name: str) -> tuple[int, int, int]:
    """Shape (k, j, i) of a series; refuse what no PET has before memory is given to it."""
    rows, columns = int(required_number(header, "Rows")), int(required_number(header, "Columns"))
    if max(rows, columns) > MAX_ROWS:
        raise InputError(f"the slices of {name} claim {rows} x {columns} pixels, which no PET has; export it again")
    check_voxels((slices, rows, columns), name)
    return slices, rows, columns


def _find_slices(paths: Sequence[Path], where: str) -> list[tuple[Path, Dataset]]:
    """Paths and headers of the PET images among files, each image once."""
    slices: dict[str, tuple[Path, Dataset]] = {}
    series: set[str] = set()
    others: set[str] = set()
    for path in paths:
        with reading(path):
            header = read_header(path)
            kind = None if header is None else storage_class(header)
            if header is None or kind is None:
                continue
            if kind in ENHANCED_PET:
                raise InputError("the PET is enhanced multi-frame DICOM; export it as single-frame files or as NIfTI")
            if kind == PositronEmissionTomographyImageStorage:
                series.add(str(required(header, "SeriesInstanceUID")))
                _add(slices, str(required(header, "SOPInstanceUID")), path, without_identifiers(header))
            elif kind == MediaStorageDirectoryStorage:
                others.add("a DICOMDIR; give the folder beneath that holds the images")
            elif header.get("Modality") == "PT":
                others.add(f"PT as {kind.name}")
            else:
                others.add(str(header.get("Modality", "unknown")))
    if not slices:
        found = f" (found: {', '.join(sorted(others))})" if others else ""
        raise InputError(f"{where} holds no DICOM PET images{found}; give the folder of the PET series")
    if len(series) > 1:
        raise InputError(f"{where} holds {len(series)} PET series; put each into a folder of its own")
    return list(slices.values())


def _add(slices: dict[str, tuple[Path, Dataset]], uid: str, path: Path, header: Dataset) -> None:
    """Add an image, unless it is a copy of one that is there.

    Raises:
        InputError: another image has the same identifier.
    """
    first = slices.setdefault(uid, (path, header))
    if first[0] == path:
        return
    if first[1] != header or not np.array_equal(read_pixels(first[0]), read_pixels(path)):
        raise InputError(
            f"{first[0].name} and {path.name} differ but have the same SOPInstanceUID (0008,0018); export the series "
            "again"
        )
