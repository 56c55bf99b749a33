"""Reading a PET series from a folder of DICOM files.

Geometry follows DICOM PS3.3, C.7.6.2 (Image Plane module): rows and columns from ImageOrientationPatient and
PixelSpacing, slices sorted by ImagePositionPatient along the normal. The rescale is applied slice by slice.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence, Sized
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
from SegAnyPETLib.volume.sitk_bridge import LPS_FLIP
from SegAnyPETLib.volume.volume import Volume

ENHANCED_PET = (EnhancedPETImageStorage, LegacyConvertedEnhancedPETImageStorage)

#: Largest difference of direction cosines, or of pixel spacings in mm, that rounding in the tags explains.
COSINE_TOLERANCE = 1e-3
#: Slices count as the same position below this share of the usual distance, and as missing between them above the next.
SAME_POSITION = 0.1
MISSING_SLICE = 1.5
#: How far a slice may lie from its place on the uniform grid, as a share of the slice distance. Scanners round
#: positions and move the table unevenly between beds (distances then differ by some percent); at half a voxel a place
#: would be wrong.
PLACE_TOLERANCE = 0.25

#: What is kept of a header: geometry and all that SUV needs, no identifier of the patient, the study or the series.
KEPT_KEYWORDS = (
    "Modality",
    "Manufacturer",
    "SeriesDate",
    "SeriesTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "TimezoneOffsetFromUTC",
    "PatientWeight",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "NumberOfSlices",
    "RescaleSlope",
    "RescaleIntercept",
    "Units",
    "SUVType",
    "CorrectedImage",
    "DecayCorrection",
)
KEPT_DOSE_KEYWORDS = (
    "RadiopharmaceuticalStartTime",
    "RadiopharmaceuticalStartDateTime",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
)
#: Private elements that are kept: group, creator, offsets in the creator's block.
KEPT_PRIVATE = ((0x0009, "GEMS_PETD_01", (0x0D,)), (0x7053, "Philips PET Private Group", (0x00, 0x09)))


@dataclass(frozen=True)
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
    slices = _sorted_slices(_find_slices(folder))
    headers = [header for _, header in slices]
    matrix = _ijk_to_ras(headers)
    first = headers[0]
    array = np.empty((len(slices), int(first.Rows), int(first.Columns)), np.float32)
    for plane, (path, header) in zip(array, slices, strict=True):
        plane[...] = _pixels(path) * required_number(header, "RescaleSlope") + required_number(
            header, "RescaleIntercept"
        )
    units = "Bq/ml" if all(header.get("Units") == "BQML" for header in headers) else ""
    return Series(Volume(array, matrix, units), tuple(headers))


def required(header: Dataset, keyword: str) -> object:
    """The value of a tag.

    Raises:
        InputError: the tag is missing or empty.
    """
    value = header.get(keyword)
    if value is None or (isinstance(value, Sized) and len(value) == 0):
        raise InputError(f"the PET series lacks {tag_name(keyword)}; export the original series with all its tags")
    return value


def required_number(header: Dataset, keyword: str) -> float:
    """The value of a tag as a finite number.

    Raises:
        InputError: the tag is missing, empty or no number.
    """
    value = required(header, keyword)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InputError(f"{tag_name(keyword)} of the PET series is no number; export the series again") from error
    if not np.isfinite(number):
        raise InputError(f"{tag_name(keyword)} of the PET series is not finite; export the series again")
    return number


def tag_name(keyword: str) -> str:
    """A tag's keyword and number, for messages."""
    tag = pydicom.tag.Tag(keyword)
    return f"{keyword} ({tag.group:04x},{tag.element:04x})"


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
                slices.append((path, _keep(header)))
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


def _keep(header: Dataset) -> Dataset:
    """A copy of a header with only what is needed, see `KEPT_KEYWORDS`."""
    kept = Dataset()
    for keyword in KEPT_KEYWORDS:
        if keyword in header:
            kept[keyword] = header[keyword]
    doses = []
    for item in header.get("RadiopharmaceuticalInformationSequence") or []:
        dose = Dataset()
        for keyword in KEPT_DOSE_KEYWORDS:
            if keyword in item:
                dose[keyword] = item[keyword]
        doses.append(dose)
    if doses:
        kept.RadiopharmaceuticalInformationSequence = doses
    for group, creator, offsets in KEPT_PRIVATE:
        if creator in header.private_creators(group):
            block = header.private_block(group, creator)
            kept_block = kept.private_block(group, creator, create=True)
            for offset in offsets:
                if offset in block:
                    kept_block.add_new(offset, block[offset].VR, block[offset].value)
    return kept


def _numbers(header: Dataset, keyword: str, count: int) -> NDArray:
    """The values of a tag with several finite numbers."""
    value = required(header, keyword)
    try:
        numbers = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{tag_name(keyword)} of the PET series holds no numbers; export the series again") from error
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise InputError(
            f"{tag_name(keyword)} of the PET series does not hold {count} numbers; export the series again"
        )
    return numbers


def _axes(header: Dataset) -> NDArray:
    """Unit vectors (rows) along i, j and the slice normal in LPS, orthonormal."""
    cosines = _numbers(header, "ImageOrientationPatient", 6).reshape(2, 3)
    lengths = np.linalg.norm(cosines, axis=1)
    if np.abs(lengths - 1).max() > COSINE_TOLERANCE or abs(cosines[0] @ cosines[1]) > COSINE_TOLERANCE:
        raise InputError(
            f"{tag_name('ImageOrientationPatient')} of the PET series is not perpendicular; export it again"
        )
    along_i = cosines[0] / lengths[0]
    normal = np.cross(along_i, cosines[1])
    normal /= np.linalg.norm(normal)
    return np.stack([along_i, np.cross(normal, along_i), normal])


def _sorted_slices(slices: Sequence[tuple[Path, Dataset]]) -> list[tuple[Path, Dataset]]:
    """Slices by position along the normal; refuses a series whose slices differ in size or direction."""
    first = slices[0][1]
    normal = _axes(first)[2]
    for _, header in slices:
        for keyword in ("Rows", "Columns"):
            if required_number(header, keyword) != required_number(first, keyword):
                raise InputError(f"the slices of the PET series differ in {tag_name(keyword)}; export one whole series")
        for keyword, count in (("ImageOrientationPatient", 6), ("PixelSpacing", 2)):
            difference = np.abs(_numbers(header, keyword, count) - _numbers(first, keyword, count)).max()
            if difference > COSINE_TOLERANCE:
                raise InputError(f"the slices of the PET series differ in {tag_name(keyword)}; export one whole series")
    return sorted(slices, key=lambda each: float(_numbers(each[1], "ImagePositionPatient", 3) @ normal))


def _ijk_to_ras(headers: Sequence[Dataset]) -> NDArray:
    """The matrix of sorted slices on a grid of uniform slice distance, their mean.

    Raises:
        InputError: a slice is missing or there twice, or the slices are not on a regular grid.
    """
    first = headers[0]
    axes = _axes(first)
    _check_count(headers)
    positions = np.stack([_numbers(header, "ImagePositionPatient", 3) for header in headers])
    along = positions @ axes[2]
    gaps = np.diff(along)
    usual = float(np.quantile(gaps, 0.5, method="lower"))
    if gaps.min() < SAME_POSITION * usual or usual <= 0:
        raise InputError("two slices of the PET series lie at the same place; give one static series, each file once")
    if gaps.max() > MISSING_SLICE * usual:
        place = along[int(np.argmax(gaps))]
        raise InputError(
            f"the PET series lacks a slice: a gap of {gaps.max():.2f} mm at {place:.1f} mm where {usual:.2f} mm "
            "is usual; export the whole series"
        )
    spacing = float(np.mean(gaps))
    places = positions[0] + np.outer(np.arange(len(headers)) * spacing, axes[2])
    if np.abs(positions - places).max() > PLACE_TOLERANCE * spacing:
        raise InputError(
            "the slices of the PET series are not on a regular, perpendicular grid; export it as NIfTI instead"
        )
    row_spacing, column_spacing = _numbers(first, "PixelSpacing", 2)
    if min(row_spacing, column_spacing) <= 0:
        raise InputError(f"{tag_name('PixelSpacing')} of the PET series is not above zero; export the series again")
    ijk_to_lps = np.eye(4)
    ijk_to_lps[:3, :3] = axes.T * (column_spacing, row_spacing, spacing)
    ijk_to_lps[:3, 3] = positions[0]
    return LPS_FLIP @ ijk_to_lps


def _check_count(headers: Sequence[Dataset]) -> None:
    if len(headers) < 2:
        raise InputError("the PET series has a single slice; export the whole series")
    expected = headers[0].get("NumberOfSlices")
    if expected and len(headers) < (count := required_number(headers[0], "NumberOfSlices")):
        raise InputError(f"the PET series has {len(headers)} of its {count:g} slices; export the whole series")


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
