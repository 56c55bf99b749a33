"""Measure a model as a user meets it: whole images, a fresh session per target, one click after the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.errors import Cancelled, InputError, SegAnyPETError
from SegAnyPETLib.evaluation.autopet4.clicks import STEPS, scan_clicks
from SegAnyPETLib.evaluation.autopet4.whole_scan import ScanSession
from SegAnyPETLib.evaluation.manifest import Case
from SegAnyPETLib.evaluation.metrics import CONNECTIVITY_18, Scores, score
from SegAnyPETLib.evaluation.results import (
    CaseResult,
    Evaluation,
    MethodResult,
    RelativeErrors,
    TargetFacts,
    TargetResult,
)
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.evaluation.sessions import Session, SessionFactory, SizedSession, take_better_size
from SegAnyPETLib.evaluation.settings import EvaluationSettings
from SegAnyPETLib.evaluation.targets import Target, targets_of
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.pet.reading import PetScan, read_scan
from SegAnyPETLib.pet.thresholds import METHODS, Method
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.dicom.file import is_dicom
from SegAnyPETLib.volume.dicom.reference.read import read_reference_labels, read_reference_mask
from SegAnyPETLib.volume.fitting import fitted
from SegAnyPETLib.volume.io import ImageFile, read_label_file
from SegAnyPETLib.volume.notes import Note
from SegAnyPETLib.volume.segmentation import read_segment
from SegAnyPETLib.volume.volume import Volume

#: Called with the part of the work that is done, 0 to 1, and the case in work.
Progress = Callable[[float, str], None]

#: What is not measured in a scan without a lesion.
UNDEFINED = RelativeErrors(math.nan, math.nan, math.nan, math.nan, math.nan)


def evaluate(
    cases: Sequence[Case],
    make_session: SessionFactory,
    settings: EvaluationSettings,
    *,
    model: str,
    progress: Progress = lambda part, case: None,
) -> Evaluation:
    """Click every target of every case and measure the mask after each click.

    Each target is segmented from the whole image by one fresh session and by a robot user of its own, whose generator
    depends on the seed, the case and the label only; so results do not depend on the order or number of cases. If the
    robot user finds no error, it stops, and the last values fill the curves. Equal seeds give equal results but for the
    seconds, as far as the model itself is deterministic. A case that cannot be evaluated is recorded with the reason.

    Args:
        cases: what to evaluate on; see `read_manifest`.
        make_session: makes a fresh session on a volume; see `sessions_over`.
        settings: how to click.
        model: name of the model, for the report.
        progress: called with how far the work is.

    Raises:
        SegAnyPETError: no case can be evaluated, for the reason of the first one, or the user cancelled.
    """
    results: list[CaseResult] = []
    errors: list[SegAnyPETError] = []
    for number, case in enumerate(cases):

        def show(part: float, number: int = number, case: Case = case) -> None:
            progress((number + part) / len(cases), case.id)

        try:
            results.append(evaluate_case(case, make_session, settings, show))
        except Cancelled:
            raise
        except SegAnyPETError as error:
            errors.append(error)
            results.append(CaseResult(case.id, error=str(error)))
    if errors and len(errors) == len(results):
        raise errors[0]
    return evaluation_of(results, model, settings)


def evaluation_of(results: Iterable[CaseResult], model: str, settings: EvaluationSettings) -> Evaluation:
    """Put the results of cases together."""
    return Evaluation(model, settings.robot, settings.seed, settings.steps, tuple(results))


def evaluate_case(
    case: Case,
    make_session: SessionFactory,
    settings: EvaluationSettings,
    progress: Callable[[float], None] = lambda part: None,
) -> CaseResult:
    """Click every target of one case; see `evaluate`. A case without a lesion has no target.

    Args:
        case: what to evaluate on.
        make_session: makes a fresh session on a volume.
        settings: how to click.
        progress: called with the part of the case that is done, 0 to 1.

    Raises:
        InputError: the case cannot be read.
        SegAnyPETError: the model failed.
    """
    progress(0.0)
    read, labels, notes = _read(case)
    image = read.volume
    if settings.robot == "autopet4":
        scan = click_scan(case.id, image, labels.array_kji > 0, make_session)
        progress(1.0)
        return CaseResult(case.id, (scan,), notes=notes, assumed=read.assumption)
    targets: list[TargetResult] = []
    baselines: dict[str, list[MethodResult]] = {name: [] for name in METHODS} if settings.baselines else {}
    all_targets = targets_of(case.id, image, labels, settings.split_components)
    for count, target in enumerate(all_targets, start=1):
        clicked = click_through(target, image, make_session(image), settings)
        targets.append(clicked)
        for name, rows in baselines.items():
            rows.append(measure_method(METHODS[name], target, image, Point(clicked.prompts[0].ras)))
        progress(count / len(all_targets))
    if not all_targets:
        progress(1.0)
    measured = {name: tuple(rows) for name, rows in baselines.items()}
    return CaseResult(case.id, tuple(targets), measured, notes=notes, assumed=read.assumption)


def click_through(target: Target, image: Volume, session: Session, settings: EvaluationSettings) -> TargetResult:
    """Click one target and measure the mask after each click.

    Args:
        target: what is clicked; its reference has at least one voxel.
        image: the whole image.
        session: a fresh one on the image.
        settings: how to click.

    Raises:
        InputError: the robot chooses among sizes, and the session has none.
    """
    reference = target.reference(image)
    user = RobotUser(settings.robot_kind, _seeds(settings, target.facts))
    chooser = _sized(session) if settings.robot == "chooser" else None
    scores: list[Scores] = []
    seconds: list[float] = []
    prompts: list[Point] = []
    size_step = 0
    mask = np.zeros(reference.shape_kji, dtype=bool)
    for step in settings.steps:
        begin = time.perf_counter()
        if chooser is not None and prompts and not size_step and take_better_size(chooser, reference.array_kji):
            size_step = step
        else:
            point = user.next_point(reference, mask)
            if point is None:
                break
            begin = time.perf_counter()
            session.add_point(point)
            prompts.append(point)
        seconds.append(time.perf_counter() - begin)
        mask = session.mask_kji
        scores.append(score(mask, reference))
    made = len(scores)
    return TargetResult(
        target=target.facts,
        scores=(*scores, *scores[-1:] * (settings.clicks - made)),
        seconds=(*seconds, *seconds[-1:] * (settings.clicks - made)),
        relative_error=relative_errors(image, mask, reference.array_kji),
        prompts=tuple(prompts),
        size_step=size_step,
        measured=made,
    )


def measure_method(method: Method, target: Target, image: Volume, point: Point) -> MethodResult:
    """Apply a method without a session to one click, and measure its mask; curves have one value."""
    reference = target.reference(image)
    begin = time.perf_counter()
    mask = method(image, point)
    seconds = time.perf_counter() - begin
    errors = relative_errors(image, mask, reference.array_kji)
    return MethodResult(target.facts, (score(mask, reference),), (seconds,), errors)


def click_scan(case: str, image: Volume, lesions_kji: NDArray[np.bool_], make_session: SessionFactory) -> TargetResult:
    """Measure all lesions of a scan as one mask, from no click on, by the protocol of autoPET IV.

    Args:
        case: its id.
        image: the PET.
        lesions_kji: bool array (k, j, i) on its grid; may be empty.
        make_session: makes a fresh session on the image.

    Returns:
        A result whose label is 0. Dice, distances and false negative volume of a scan without a lesion are undefined,
        as in the challenge.
    """
    clicks, session = scan_clicks(image, lesions_kji), ScanSession(image, make_session)
    reference = image.with_array(lesions_kji)
    prompts: list[Point] = []
    scores, seconds = [score(session.mask_kji, reference)], [0.0]
    for step in STEPS[1:]:
        begin = time.perf_counter()
        prompts += session.add(*clicks.of_step(step))
        seconds.append(time.perf_counter() - begin)
        scores.append(score(session.mask_kji, reference))
    components = int(ndimage.label(lesions_kji, CONNECTIVITY_18)[1])
    volume_ml = int(np.count_nonzero(lesions_kji)) * image.voxel_ml
    errors = relative_errors(image, session.mask_kji, lesions_kji) if components else UNDEFINED
    if not components:
        scores = [Scores(math.nan, math.nan, math.nan, math.nan, s.fpv_ml, math.nan) for s in scores]
    facts = TargetFacts(case, 0, 0, volume_ml, components)
    return TargetResult(facts, tuple(scores), tuple(seconds), errors, tuple(prompts))


def relative_errors(image: Volume, predicted: NDArray[np.bool_], reference: NDArray[np.bool_]) -> RelativeErrors:
    """Compare the SUV quantities of a mask with those of the reference mask.

    Args:
        image: the PET.
        predicted: bool array (k, j, i) on the image's grid.
        reference: the same, with at least one voxel.

    Returns:
        (predicted - reference) / reference for SUVmax, SUVmean, SUVpeak, MTV and TLG. An empty prediction has -1 for
        MTV and TLG, and NaN for the others. A reference value of zero gives NaN.
    """
    if not predicted.any():
        return RelativeErrors(math.nan, math.nan, math.nan, -1.0, -1.0)
    found, expected = quantities(image, predicted), quantities(image, reference)
    return RelativeErrors(
        suv_max=_relative(found.suv_max, expected.suv_max),
        suv_mean=_relative(found.suv_mean, expected.suv_mean),
        suv_peak=_relative(found.suv_peak, expected.suv_peak),
        mtv=_relative(found.volume_ml, expected.volume_ml),
        tlg=_relative(found.tlg, expected.tlg),
    )


def _relative(found: float, expected: float) -> float:
    return (found - expected) / expected if expected else math.nan


def _seeds(settings: EvaluationSettings, target: TargetFacts) -> np.random.SeedSequence:
    """Seeds of a target's robot user, whatever other targets there are."""
    component = [target.component] if target.component else []
    return np.random.SeedSequence([settings.seed, crc32(target.case.encode()), target.label, *component])


def _sized(session: Session) -> SizedSession:
    if not isinstance(session, SizedSession):
        raise InputError("the robot user chooser needs a model that offers other sizes of its mask; use another robot")
    return session


def _read(case: Case) -> tuple[PetScan, Volume, tuple[Note, ...]]:
    """Read the image, its labels on the image's grid, and doubts about both."""
    try:
        scan = read_scan(case.image, case.units)
        labels = _read_labels(case, scan)
        on_grid = fitted(labels.volume, scan.volume)
    except InputError as error:
        raise InputError(f"case {case.id}: {error}") from error
    return scan, on_grid, (*scan.notes, *labels.notes)


def _read_labels(case: Case, scan: PetScan) -> ImageFile:
    """Read the label map of a case, or the segment that it names."""
    if is_dicom(case.label) and case.segment is None:
        return read_reference_labels(case.label, scan.volume, scan.files)
    if is_dicom(case.label):
        return read_reference_mask(case.label, scan.volume, case.segment, scan.files)
    if case.segment is None:
        return read_label_file(case.label)
    return ImageFile(read_segment(case.label, case.segment))
