"""The DICOM series that results refer to, with the identifiers that DICOM objects of one patient share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset
from pydicom.valuerep import DA, TM, DSfloat

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom.file import read_header, reading, storage_class
from SegAnyPETLib.volume.dicom.header import required, tag_name
from SegAnyPETLib.volume.volume import Volume

#: What is needed of every slice.
OF_EACH = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "SliceThickness",
)
#: What is kept of the first slice: groups of the tags that say whose image it is and where: identifying, patient,
#: trial, acquisition, relation and image.
GROUPS = (0x0008, 0x0010, 0x0012, 0x0018, 0x0020, 0x0028)
#: Tags that objects made of a series must have, if only empty (type 2 in DICOM PS3.3).
MAY_BE_EMPTY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
#: Tags that the slices of one series share, and without which nothing can refer to them.
SHARED = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Rows", "Columns")
#: What DICOM PS3.3, C.7.1.1, allows as PatientSex.
SEXES = ("M", "F", "O")
#: The character set of what is written: names of targets may be in any language.
UTF8 = "ISO_IR 192"


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """The PET series that a result was made of.

    Attributes:
        volume: the PET as it was segmented.
        headers: one per slice in the order of the volume's k axis, with what identifies it; the first with what
            identifies patient and study.
    """

    volume: Volume
    headers: tuple[Dataset, ...]

    @property
    def first(self) -> Dataset:
        """The header of the first slice."""
        return self.headers[0]


def read_source(volume: Volume, files: Sequence[Path]) -> SourceSeries:
    """Read the headers of the slices of a PET that was read from DICOM.

    Args:
        volume: the PET.
        files: its slices in the order of its k axis, see `SegAnyPETLib.pet.reading.PetScan.files`.

    Raises:
        InputError: the PET is no DICOM series, its slices lack what others refer to, or changed since they were read.
    """
    if not files:
        raise InputError(
            "a DICOM result refers to the images of a DICOM series, and this PET is an image file; give the folder of "
            "the series, or ask for another kind of output"
        )
    _check_single(files[0])
    headers = (_first(files[0]), *map(_read, files[1:]))
    for keyword in SHARED:
        if any(required(header, keyword) != required(headers[0], keyword) for header in headers):
            raise InputError(
                f"the slices of the PET series differ in {tag_name(keyword)}, so nothing can refer to them; export the "
                "original series with all its tags"
            )
    if (len(headers), headers[0].Rows, headers[0].Columns) != volume.shape_kji:
        raise InputError("the PET series changed while it was segmented; segment it again")
    _align(headers, float(volume.spacing_mm[2]))
    return SourceSeries(volume, headers)


def _check_single(path: Path) -> None:
    if int(_header(path).get("NumberOfFrames") or 1) > 1:
        raise InputError(
            "results refer to images of one slice each, and this PET is multi-frame DICOM; export it as single-frame "
            "files, or ask for another kind of output"
        )


def _align(headers: Sequence[Dataset], spacing_mm: float) -> None:
    """Give slices the direction of the first, from which they may differ by rounding, and the mean distance."""
    for header in headers:
        header.ImageOrientationPatient = headers[0].ImageOrientationPatient
        header.SpacingBetweenSlices = DSfloat(spacing_mm, auto_format=True)
        if not header.get("SliceThickness"):
            header.SliceThickness = DSfloat(spacing_mm, auto_format=True)


def _first(path: Path) -> Dataset:
    with reading(path):
        header = _header(path)
        source = _without_private(header)
        _complete(source)
        source.decode()
        source.SpecificCharacterSet = UTF8
    return source


def _read(path: Path) -> Dataset:
    source = Dataset()
    with reading(path):
        header = _header(path)
        for keyword in OF_EACH:
            if keyword in header:
                source[keyword] = header[keyword]
    return source


def _header(path: Path) -> FileDataset:
    header = read_header(path)
    kind = None if header is None else storage_class(header)
    if header is None or kind is None:
        raise InputError(f"{path.name} changed while the PET was segmented; segment it again")
    header.SOPClassUID = kind
    required(header, "SOPInstanceUID")
    return header


def _without_private(header: FileDataset) -> Dataset:
    """Copy the tags of `GROUPS`, without those that were too long to be read."""
    source = Dataset()
    for group in GROUPS:
        for tag in header.group_dataset(group).keys():  # noqa: SIM118 - iterating reads what was too long
            element = header.get_item(tag)
            if element is not None and element.value is not None:
                source[tag] = header[tag]
    return source


def _complete(source: Dataset) -> None:
    """Make tags that are missing, or whose value the standard does not know, empty."""
    for keyword in MAY_BE_EMPTY:
        if source.get(keyword) is None:
            setattr(source, keyword, "")
    for keyword in _unknown(source):
        setattr(source, keyword, "")


def _unknown(source: Dataset) -> Iterator[str]:
    if source.PatientSex not in SEXES:
        yield "PatientSex"
    for keyword, kind in (("PatientBirthDate", DA), ("StudyDate", DA), ("StudyTime", TM)):
        try:
            kind(source.get(keyword))
        except (ValueError, TypeError):
            yield keyword
