"""Writing results as DICOM files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

from pydicom.dataset import Dataset

from SegAnyPETLib.dicom_out.kinds import DicomKind, kind_of
from SegAnyPETLib.dicom_out.making import making
from SegAnyPETLib.dicom_out.source import SourceSeries
from SegAnyPETLib.dicom_out.structure_set import structure_set_of
from SegAnyPETLib.dicom_out.target import Target
from SegAnyPETLib.volume.atomic import replacing

#: What is made with highdicom.
NEED_HIGHDICOM = frozenset({DicomKind.SEGMENTATION, DicomKind.LABEL_MAP, DicomKind.REPORT})


def need_for(kinds: Collection[DicomKind | None]) -> None:
    """Import what writes these kinds, so that what is not installed is told before any work.

    Raises:
        ModuleNotFoundError: highdicom is not installed, and one of the kinds needs it.
    """
    if NEED_HIGHDICOM.intersection(kinds):
        import_module("SegAnyPETLib.dicom_out.report")


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
    objects = dict(_objects(source, targets, remarks, kinds))
    with ExitStack() as files:
        for path, kind in zip(paths, kinds, strict=True):
            assert kind is not None
            temporary = files.enter_context(replacing(path, kind.ending))
            with making(f"DICOM file of the kind {kind}"):
                objects[kind].save_as(temporary, enforce_file_format=True)


def _objects(
    source: SourceSeries, targets: Sequence[Target], remarks: Sequence[str], kinds: Sequence[DicomKind | None]
) -> Iterator[tuple[DicomKind, Dataset]]:
    if DicomKind.CONTOURS in kinds:
        yield DicomKind.CONTOURS, structure_set_of(source, targets)
    if not NEED_HIGHDICOM.intersection(kinds):
        return
    # highdicom is an extra.
    from SegAnyPETLib.dicom_out.report import report_of
    from SegAnyPETLib.dicom_out.segmentation import segmentation_of

    if DicomKind.LABEL_MAP in kinds:
        yield DicomKind.LABEL_MAP, segmentation_of(source, targets, label_map=True)
    segmentation = segmentation_of(source, targets)
    yield DicomKind.SEGMENTATION, segmentation
    if DicomKind.REPORT in kinds:
        yield DicomKind.REPORT, report_of(source, targets, segmentation, remarks)
