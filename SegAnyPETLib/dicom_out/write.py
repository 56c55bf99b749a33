"""Writing results as DICOM files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from pydicom.dataset import Dataset

from SegAnyPETLib.dicom_out.kinds import DicomKind, kind_of
from SegAnyPETLib.dicom_out.segmentation import segmentation_of
from SegAnyPETLib.dicom_out.source import SourceSeries
from SegAnyPETLib.dicom_out.target import Target
from SegAnyPETLib.volume.atomic import replacing


def write_dicom(source: SourceSeries, targets: Sequence[Target], paths: Sequence[Path]) -> None:
    """Write DICOM objects of the same targets; all files appear or none does.

    Args:
        source: the PET.
        targets: at least one, each with a voxel.
        paths: of the files; what each holds is said by its ending, see `SegAnyPETLib.dicom_out.kinds`.

    Raises:
        InputError: the tags of the series do not allow such an object.
        SegAnyPETError: a file could not be written.
    """
    objects = _objects(source, targets)
    with ExitStack() as files:
        for path in paths:
            kind = kind_of(path)
            assert kind is not None
            temporary = files.enter_context(replacing(path, kind.ending))
            objects[kind].save_as(temporary, enforce_file_format=True)


def _objects(source: SourceSeries, targets: Sequence[Target]) -> dict[DicomKind, Dataset]:
    return {DicomKind.SEGMENTATION: segmentation_of(source, targets)}
