"""``seganypet segment``: clicks in a PET become a mask, its quantities and a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from SegAnyPETLib import __version__
from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.commands.arguments.segment import SegmentOptions
from SegAnyPETLib.commands.common.backends import model_options, open_backend
from SegAnyPETLib.commands.common.clicks import to_points
from SegAnyPETLib.commands.common.outputs import check_output
from SegAnyPETLib.dicom_out.kinds import ENDINGS, DicomKind, any_dicom, kind_of, with_segmentation
from SegAnyPETLib.dicom_out.source import SourceSeries, read_source
from SegAnyPETLib.dicom_out.target import Algorithm, Target
from SegAnyPETLib.dicom_out.write import need_for, write_dicom
from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.pet.flood import flood_notes
from SegAnyPETLib.pet.quantities import Quantities, quantities
from SegAnyPETLib.pet.reading import PetScan, read_scan_as
from SegAnyPETLib.pet.suv.suv_type import SuvScale, SuvType
from SegAnyPETLib.pet.units import StatedUnits, stated_units
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.saved_prompts import TAG, SavedPrompts
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.dicom.file import is_dicom
from SegAnyPETLib.volume.dicom.reference.read import read_reference_mask
from SegAnyPETLib.volume.fitting import fitted
from SegAnyPETLib.volume.io import SUFFIXES, ImageFile, check_mask, read_label_file
from SegAnyPETLib.volume.notes import Note
from SegAnyPETLib.volume.segmentation import Segment, read_segment, write_mask
from SegAnyPETLib.volume.volume import Volume

UNITS_NOTE = "note: the file does not say that its values are SUV; the numbers above are SUV only if they are"

#: What an output is called where it is listed, unless it holds a mask.
OUTPUT_NAMES: dict[DicomKind | None, str] = {DicomKind.REPORT: "report", DicomKind.CONTOURS: "contours"}
#: Endings of the files that a result is written to.
OUTPUT_SUFFIXES = (*SUFFIXES, *ENDINGS.values())
#: Tag of a segment with what had to be assumed to get SUV.
ASSUMED_TAG = "SegAnyPET.Assumed"

#: Name and text of a line of the output.
Row = tuple[str, str]

OPEN_NOTE = "note: the mask reaches the border of what the model looked at; a further --point there carries it on"


def run(options: SegmentOptions) -> None:
    """Check everything that is given, then segment, print and write.

    Raises:
        InputError: a file, a point or a path cannot be used; nothing is written.
        SegAnyPETError: the result is empty or cannot be written.
    """
    _check_paths(options)
    model = model_options(options.model)
    if options.figure is not None:
        from SegAnyPETLib.figure import write_figure
    outputs = with_segmentation(options.output)
    need_for([kind_of(path) for path in outputs])
    scan, scale = read_scan_as(options.pet, _stated(options), SuvType(options.suv_type), options.series)
    volume = scan.volume
    source = source_of(scan, outputs)
    points = sized(to_points(options.clicks, options.coordinates, volume), options.size)
    mask_kji, doubts = None, scan.notes
    if options.mask is not None:
        mask_kji, of_mask = read_mask(options.mask, scan, options.mask_segment)
        doubts = (*doubts, *of_mask)
    backend = open_backend(model)
    session = segment(volume, points, mask_kji, backend)
    result_kji = session.mask_kji
    measured = quantities(volume, result_kji).times(scale.per_body_weight)
    doubts = (*doubts, *flood_notes(volume, result_kji, points))
    with ExitStack() as pictures:
        if options.figure is not None:
            title = _title(scale, measured)
            pictures.enter_context(write_figure(volume, result_kji, points, options.figure, title))
        named = Segment("Target", result_kji, tags=result_tags(session, scan.assumption))
        target = Target(named, measured, algorithm_of(session), scale.name)
        if source is not None:
            dicom = [path for path in outputs if kind_of(path)]
            remarks = [f"assumed: {each}" for each in scan.assumed] + [doubt.message for doubt in doubts]
            write_dicom(source, [target], dicom, remarks)
        for path in outputs:
            if kind_of(path) is None:
                write_mask(volume, [target.segment], path)
    _print(options, volume, points, [*_quantity_rows(measured, scale), *_result_rows(options, scan)], backend)
    if not scale.name:
        print(UNITS_NOTE)
    print_sizes(session, options.size)
    print_notes(doubts)
    print(NOTICE)


def source_of(scan: PetScan, outputs: Sequence[Path]) -> SourceSeries | None:
    """Return the series that DICOM files among the outputs refer to, None if there is none among them.

    Raises:
        InputError: the PET is no DICOM series, or an output would replace one of its files.
    """
    for path in outputs:
        check_output(path, OUTPUT_SUFFIXES, scan.files)
    return read_source(scan.volume, scan.files) if any_dicom(outputs) else None


def _stated(options: SegmentOptions) -> StatedUnits:
    return stated_units(options.units, options.weight_kg, options.dose_mbq, options.uptake_min, options.half_life_min)


def sized(points: Sequence[Point], size: int) -> list[Point]:
    """Return the points, the first one with a step of size."""
    return [replace(point, size_step=0 if n else size) for n, point in enumerate(points)]


def print_sizes(session: InteractiveSession, wanted: int) -> None:
    """Print which of the sizes that the first click may mean was taken, and what others there are."""
    taken = session.points[0].size_step if session.points else 0
    if taken != wanted:
        print(f"note: --size {wanted} was not possible for this click; {taken} was taken")
    if len(session.alternatives) > 1:
        voxel_ml = session.volume.voxel_ml
        sizes = [f"{a.mask.voxels * voxel_ml:.2f} ml" for a in session.alternatives]
        sizes[session.chosen] += " (taken)"
        steps = [
            f"--size {taken + step} takes the next {word} one"
            for step, word, there in ((-1, "smaller", session.has_smaller), (1, "larger", session.has_larger))
            if there
        ]
        print(f"sizes    {', '.join(sizes)}; {', '.join(steps)}")


def print_notes(notes: Sequence[Note]) -> None:
    """Print doubts about an input or a result, one per line."""
    for note in notes:
        print(f"note: {note.message}")


def segment(
    volume: Volume, points: Sequence[Point], mask_kji: NDArray[np.bool_] | None, backend: Backend
) -> InteractiveSession:
    """Give a new session a mask prompt and points, in this order.

    Args:
        volume: the PET.
        points: in the order of the clicks.
        mask_kji: bool array on the volume's grid to start from, or None.
        backend: the model.

    Returns:
        The session; its mask has a voxel.

    Raises:
        SegAnyPETError: the mask has no voxel.
    """
    with tqdm(total=len(points), desc="clicks", unit="click", disable=None, leave=False) as bar:

        def watch(windows: int) -> bool:
            bar.set_postfix_str(f"larger than a window, looking beyond: {windows}")
            return True

        session = InteractiveSession(volume, backend, watch=watch)
        prompted(session, points, mask_kji, bar.update)
    if session.history[-1].open:
        print(OPEN_NOTE)
    return session


def prompted(
    session: InteractiveSession,
    points: Sequence[Point],
    mask_kji: NDArray[np.bool_] | None,
    clicked: Callable[[], object] = lambda: None,
) -> None:
    """Give a session a mask prompt and points, in this order.

    Args:
        session: a fresh one.
        points: in the order of the clicks.
        mask_kji: bool array on the volume's grid to start from, or None.
        clicked: called after each point.

    Raises:
        SegAnyPETError: the mask that they lead to has no voxel.
    """
    if mask_kji is not None:
        session.add_mask(mask_kji)
    for point in points:
        session.add_point(point)
        clicked()
    if not session.mask.voxels:
        raise SegAnyPETError("the result has no voxel; add a point in the target")


def algorithm_of(session: InteractiveSession) -> Algorithm:
    """Return what segments in a session."""
    backend = session.backend
    return Algorithm(backend.spec.name, backend.spec.sha256, backend.device, __version__)


def result_tags(session: InteractiveSession, assumption: str = "") -> dict[str, str]:
    """Return the tags of a session's segment: the record of its prompts, what made it, what was assumed."""
    algorithm = algorithm_of(session)
    assumed = {ASSUMED_TAG: assumption} if assumption else {}
    return assumed | {
        TAG: SavedPrompts.of(session).to_json(),
        "SegAnyPET.Model": algorithm.model,
        "SegAnyPET.WeightsSHA256": algorithm.weights_sha256,
        "SegAnyPET.Device": algorithm.device,
        "SegAnyPET.Version": algorithm.version,
    }


def _check_paths(options: SegmentOptions) -> None:
    if options.mask is None and options.mask_segment is not None:
        raise InputError("--mask-segment names a segment of a mask; give --mask FILE.seg.nrrd too")
    if options.size and (options.mask is not None or not options.clicks):
        raise InputError("--size is about the first point of a new target; leave out --mask, or --size")
    if options.mask is None and not any(positive for _, positive in options.clicks):
        raise InputError("nothing says where the target is; give --point R,A,S or --mask FILE")
    for path in with_segmentation(options.output):
        check_output(path, OUTPUT_SUFFIXES, [options.pet, options.mask])
    if options.figure is not None:
        check_output(options.figure, [".png"])


def read_mask(path: Path, scan: PetScan, segment: str | None = None) -> tuple[NDArray[np.bool_], tuple[Note, ...]]:
    """Read a binary mask on the volume's grid; one that was saved turned or cropped is brought to it.

    Args:
        path: of the file.
        scan: the PET.
        segment: name of the segment to take of a ``.seg.nrrd`` or DICOM file; None for the only one.

    Returns:
        Bool array (k, j, i), and doubts about the file.

    Raises:
        InputError: the file does not hold such a mask.
    """
    volume = scan.volume
    if is_dicom(path):
        file = read_reference_mask(path, volume, segment, scan.files)
    else:
        file = read_label_file(path) if segment is None else ImageFile(read_segment(path, segment))
    labels = fitted(file.volume, volume, "mask")
    check_mask(labels, volume)
    if np.unique(labels.array_kji[labels.array_kji != 0]).size > 1:
        raise InputError(f"{path.name} holds several labels; give a mask with one, or name a segment")
    return labels.array_kji != 0, file.notes


def _title(scale: SuvScale, measured: Quantities) -> str:
    name = scale.name or "value"
    return f"{measured.volume_ml:.1f} ml, {name} max {measured.suv_max:.2f}, {name} mean {measured.suv_mean:.2f}"


def _print(
    options: SegmentOptions, volume: Volume, points: Sequence[Point], results: Sequence[Row], backend: Backend
) -> None:
    size = " x ".join(f"{n}" for n in reversed(volume.shape_kji))
    spacing = " x ".join(f"{s:.2f}" for s in volume.spacing_mm)
    positive = sum(point.positive for point in points)
    rows = [
        ("PET", f"{size} voxels of {spacing} mm"),
        ("prompts", f"{positive} positive, {len(points) - positive} negative{', a mask' if options.mask else ''}"),
        ("model", f"{backend.spec.name} on {backend.device}"),
    ]
    for name, text in (*rows, *results):
        print(f"{name:8} {text}")


def _quantity_rows(measured: Quantities, scale: SuvScale) -> list[Row]:
    return [
        ("volume", f"{measured.volume_ml:.2f} ml"),
        ("SUV", f"{scale}"),
        ("SUVmax", f"{measured.suv_max:.2f}"),
        ("SUVmean", f"{measured.suv_mean:.2f}"),
        ("SUVpeak", f"{measured.suv_peak:.2f}"),
        ("TLG", f"{measured.tlg:.1f} {scale.tlg_unit}"),
    ]


def _result_rows(options: SegmentOptions, scan: PetScan) -> list[Row]:
    rows = [(OUTPUT_NAMES.get(kind_of(path), "mask"), f"{path}") for path in with_segmentation(options.output)]
    if options.figure is not None:
        rows.append(("figure", f"{options.figure}"))
    if scan.assumed:
        rows.append(("assumed", scan.assumption))
    return rows
