"""Writing results as DICOM files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from pydicom.dataset import Dataset

from SegAnyPETLib.dicom_out.kinds import DicomKind, kind_of
from SegAnyPETLib.dicom_out.report import report_of
from SegAnyPETLib.dicom_out.segmentation import segmentation_of
from SegAnyPETLib.dicom_out.source import SourceSeries
from SegAnyPETLib.dicom_out.target import Target
from SegAnyPETLib.volume.atomic import replacing


def write_dicom(
    source: SourceSeries, targets: Sequence[Target], paths: Sequence[Path], remarks: Sequence[str] = ()
) -> None:
    """Write DICOM objects of the same targets; files appear when all are complete.

    Args:
        source: the PET.
        targets: at least one, each with a voxel.
        paths: of the files; what each holds is said by its ending, see `SegAnyPETLib.dicom_out.kinds`. A report refers
            to the segmentation, so that is among them too.
        remarks: doubts about the numbers, one line each, which stand in the report.

    Raises:
        InputError: the tags of the series do not allow such an object.
        SegAnyPETError: a file could not be written.
    """
    kinds = [kind_of(path) for path in paths]
    objects = _objects(source, targets, remarks, DicomKind.REPORT in kinds)
    with ExitStack() as files:
        for path, kind in zip(paths, kinds, strict=True):
            assert kind is not None
            temporary = files.enter_context(replacing(path, kind.ending))
            objects[kind].save_as(temporary, enforce_file_format=True)


def _objects(
    source: SourceSeries, targets: Sequence[Target], remarks: Sequence[str], with_report: bool
) -> dict[DicomKind, Dataset]:
    segmentation = segmentation_of(source, targets)
    objects: dict[DicomKind, Dataset] = {DicomKind.SEGMENTATION: segmentation}
    if with_report:
        objects[DicomKind.REPORT] = report_of(source, targets, segmentation, remarks)
    return objects
