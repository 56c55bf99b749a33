"""``seganypet segment-many``: clicks in many PETs become masks and a table of their quantities."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory

from SegAnyPETLib.commands.arguments.segment_many import SegmentManyOptions
from SegAnyPETLib.commands.common.backends import ModelOptions, model_options
from SegAnyPETLib.commands.common.click_manifest import ClickCase, ClickTarget, read_click_manifest
from SegAnyPETLib.commands.common.colors import distinct_color
from SegAnyPETLib.commands.common.outputs import check_output, make_folder
from SegAnyPETLib.commands.common.parallel import Failure, jobs_of, spread
from SegAnyPETLib.commands.segment import (
    OPEN_NOTE,
    OUTPUT_SUFFIXES,
    algorithm_of,
    prompted,
    read_mask,
    result_tags,
    source_of,
)
from SegAnyPETLib.dicom_out.kinds import DicomKind
from SegAnyPETLib.dicom_out.target import Target
from SegAnyPETLib.dicom_out.write import need_for, write_dicom
from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.pet.flood import flood_notes
from SegAnyPETLib.pet.quantities import Quantities, quantities
from SegAnyPETLib.pet.reading import PetScan, read_scan_as
from SegAnyPETLib.pet.suv.suv_type import SuvType
from SegAnyPETLib.pet.units import units_from_json
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.atomic import replacing
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.segmentation import Segment, write_segmentation

TABLE = "quantities.csv"
COLUMNS = ("case", "target", *(field.name for field in fields(Quantities)), "units", "assumed", "note")

TABLE_UNITS_NOTE = "note: where the table has no units, the file does not say that its values are SUV"


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        case: its id.
        target: name of the target; "" for a case as a whole.
        measured: quantities of the mask, None if there is no mask.
        units: name of the type of SUV, "" if the PET's file does not say that its values are SUV.
        assumed: what had to be assumed to get SUV.
        note: why there is no mask, or what to look at.
    """

    case: str
    target: str = ""
    measured: Quantities | None = None
    units: str = ""
    assumed: str = ""
    note: str = ""

    @property
    def cells(self) -> list[str]:
        """Texts of the table's cells, in the order of `COLUMNS`."""
        numbers = [""] * 5 if self.measured is None else [f"{value:.6g}" for value in astuple(self.measured)]
        return [self.case, self.target, *numbers, self.units, self.assumed, self.note]


@dataclass(frozen=True)
class SegmentCase:
    """The segmentation of one case, in any process.

    Attributes:
        model: what segments.
        folder: where the segments are written, until they are whole.
        output: folder that they are moved to when complete.
        dicom: kinds of DICOM objects to write besides.
        suv_type: what SUV relates the dose to.
    """

    model: ModelOptions
    folder: Path
    output: Path
    dicom: tuple[DicomKind, ...] = ()
    suv_type: SuvType = SuvType.BODY_WEIGHT

    def open(self) -> None:
        """Load the model."""
        self.model.opened()

    def __call__(self, case: ClickCase) -> list[Row]:
        """Write the segments of all targets that have one; say what they measure."""
        targets = case.targets
        for name in names_of(case, self.dicom):
            check_output(self.output / name, OUTPUT_SUFFIXES, [case.image, *(t.mask for t in targets)])
        scan, scale = read_scan_as(case.image, units_from_json(case.fields), self.suv_type, case.series)
        volume = scan.volume
        source = source_of(scan, [self.output / name for name in names_of(case, self.dicom)])
        rows, found, finished = [], [], list[MaskPatch]()
        remarks = [f"assumed: {each}" for each in scan.assumed]
        for n, target in enumerate(targets):
            try:
                session = self._segmented(scan, target, finished)
            except SegAnyPETError as error:
                rows.append(Row(case.id, target.name, note=_line(str(error))))
                continue
            notes = [OPEN_NOTE] if session.history[-1].open else []
            doubts = (*scan.notes, *flood_notes(volume, session.mask_kji, target.points))
            note = "; ".join([*notes, *(f"note: {doubt.message}" for doubt in doubts)])
            finished.append(session.mask)
            measured = quantities(volume, session.mask_kji).times(scale.per_body_weight)
            rows.append(Row(case.id, target.name, measured, scale.name, scan.assumption, note))
            tags = result_tags(session, scan.assumption)
            segment = Segment(target.name, session.mask_kji, distinct_color(n, len(targets)), tags)
            found.append(Target(segment, measured, algorithm_of(session), scale.name))
            remarks += [f"{target.name}: {doubt.message}" for doubt in doubts]
        if found:
            first, *others = (self.folder / name for name in names_of(case, self.dicom))
            if source is not None:
                write_dicom(source, found, others, remarks)
            write_segmentation(volume, [each.segment for each in found], first)
        return rows

    def _segmented(self, scan: PetScan, target: ClickTarget, finished: Sequence[MaskPatch]) -> InteractiveSession:
        mask_kji = None if target.mask is None else read_mask(target.mask, scan, target.segment)[0]
        session = InteractiveSession(scan.volume, self.model.opened())
        session.neighbours = finished
        prompted(session, target.points, mask_kji)
        return session


def run(options: SegmentManyOptions) -> None:
    """Segment all cases; files appear whole, each case's when it is done.

    Raises:
        InputError: the list, the model or the folder cannot be used; nothing is written.
        SegAnyPETError: a target or a case could not be segmented, or the folder not be written to; what could is there.
    """
    cases = read_click_manifest(options.manifest.absolute())
    jobs, folder = jobs_of(options.model, options.jobs), options.output.absolute()
    rows: dict[int, list[Row]] = {}
    dicom = dicom_kinds(options.dicom)
    model = model_options(options.model, options.jobs, jobs.threads)
    with _made(folder), TemporaryDirectory(dir=folder, prefix=".") as temporary:
        work = SegmentCase(model, Path(temporary), folder, dicom, SuvType(options.suv_type))
        for number, outcome in spread(work, cases, jobs):
            case = cases[number]
            rows[number] = [Row(case.id, note=outcome.message)] if isinstance(outcome, Failure) else outcome
            if any(row.measured for row in rows[number]):
                for name in names_of(case, dicom):
                    (work.folder / name).replace(folder / name)
            _write_table(_in_order(rows), folder / TABLE)
    _tell(_in_order(rows), options.output)


def names_of(case: ClickCase, dicom: Sequence[DicomKind]) -> list[str]:
    """Return the names of a case's files: that of its segments, and those of its DICOM objects."""
    return [f"{case.id}.seg.nrrd", *(f"{case.id}.{kind}.dcm" for kind in dicom)]


def dicom_kinds(names: Sequence[str]) -> tuple[DicomKind, ...]:
    """Return the kinds of these names, with the segmentation that a report refers to.

    Raises:
        ModuleNotFoundError: what they need is not installed.
    """
    kinds = {DicomKind(name) for name in names}
    if DicomKind.REPORT in kinds:
        kinds.add(DicomKind.SEGMENTATION)
    need_for(kinds)
    return tuple(sorted(kinds))


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make the output folder; remove it if it is new and the block fails while it is still empty."""
    new = not folder.exists()
    make_folder(folder)
    try:
        yield
    except BaseException:
        if new and not any(folder.iterdir()):
            folder.rmdir()
        raise


def _in_order(rows: Mapping[int, list[Row]]) -> list[Row]:
    return [row for number in sorted(rows) for row in rows[number]]


def _write_table(rows: Sequence[Row], path: Path) -> None:
    with replacing(path, ".csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([COLUMNS, *(row.cells for row in rows)])


def _tell(rows: Sequence[Row], folder: Path) -> None:
    failed = [row for row in rows if row.measured is None]
    for row in failed:
        print(f"{row.case}{', ' if row.target else ''}{row.target}: {row.note}", file=sys.stderr)
    cases = {row.case for row in rows}
    print(f"masks   {folder}   ({len(rows) - len(failed)} targets of {len(cases)} cases)")
    print(f"table   {folder / TABLE}")
    if any(not row.units for row in rows if row.measured):
        print(TABLE_UNITS_NOTE)
    print(NOTICE)
    if failed:
        lacking = len({row.case for row in failed})
        raise SegAnyPETError(f"{lacking} of {len(cases)} cases lack a mask; they are listed above and in {TABLE}")


def _line(text: str) -> str:
    return " ".join(text.split())
