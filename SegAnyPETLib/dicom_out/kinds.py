"""Which DICOM objects are written, by the endings of the file names; this module loads nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path


class DicomKind(StrEnum):
    """A kind of DICOM object, by its short name."""

    SEGMENTATION = "seg"

    @property
    def ending(self) -> str:
        """How the name of its file ends."""
        return ENDINGS[self]


ENDINGS = {DicomKind.SEGMENTATION: ".dcm"}


def kind_of(path: Path) -> DicomKind | None:
    """Return what a file of this name holds when it is written; None if it is not DICOM."""
    name = path.name.lower()
    longest_first = sorted(DicomKind, key=lambda kind: -len(kind.ending))
    return next((kind for kind in longest_first if name.endswith(kind.ending)), None)


def any_dicom(paths: Sequence[Path]) -> bool:
    """Return whether a DICOM object is among the files."""
    return any(kind_of(path) is not None for path in paths)
