"""Which DICOM objects are written, by the endings of the file names; this module loads nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path


class DicomKind(StrEnum):
    """A kind of DICOM object, by its short name."""

    SEGMENTATION = "seg"
    LABEL_MAP = "labelmap"
    REPORT = "sr"
    CONTOURS = "rtss"

    @property
    def ending(self) -> str:
        """How the name of its file ends."""
        return ENDINGS[self]


ENDINGS = {
    DicomKind.SEGMENTATION: ".dcm",
    DicomKind.LABEL_MAP: ".labelmap.dcm",
    DicomKind.REPORT: ".sr.dcm",
    DicomKind.CONTOURS: ".rtss.dcm",
}


def kind_of(path: Path) -> DicomKind | None:
    """Return what a file of this name holds when it is written; None if it is not DICOM."""
    name = path.name.lower()
    longest_first = sorted(DicomKind, key=lambda kind: -len(kind.ending))
    return next((kind for kind in longest_first if name.endswith(kind.ending)), None)


def with_segmentation(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files, and one of the segmentation beside each report that would refer to one that is not there."""
    if any(kind_of(path) is DicomKind.SEGMENTATION for path in paths):
        return tuple(paths)
    beside = (
        path.with_name(path.name[: -len(DicomKind.REPORT.ending)] + DicomKind.SEGMENTATION.ending)
        for path in paths
        if kind_of(path) is DicomKind.REPORT
    )
    return (*paths, *beside)


def any_dicom(paths: Sequence[Path]) -> bool:
    """Return whether a DICOM object is among the files."""
    return any(kind_of(path) is not None for path in paths)
