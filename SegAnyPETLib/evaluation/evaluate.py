"""Measure a model as a user meets it: whole images, a fresh session per target, one click after the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.evaluation.autopet4 import STEPS as AUTOPET4_STEPS
from SegAnyPETLib.evaluation.autopet4 import simulated_clicks
from SegAnyPETLib.evaluation.manifest import Case
from SegAnyPETLib.evaluation.metrics import CONNECTIVITY_18, Scores, score
from SegAnyPETLib.evaluation.results import CaseResult, Evaluation, MethodResult, RelativeErrors, TargetResult
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.pet.reading import read_pet
from SegAnyPETLib.pet.thresholds import METHODS, Method
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.io import check_same_grid, read_labels
from SegAnyPETLib.volume.volume import Volume


class Session(Protocol):
    """What is needed of an `InteractiveSession`."""

    @property
    def mask_kji(self) -> NDArray[np.bool_]:
        """The current mask on the volume's grid."""

    def add_point(self, point: Point) -> object:
        """Take a click into account."""


SessionFactory = Callable[[Volume], Session]

#: Called with the part of the work that is done, 0 to 1, and the case in work.
Progress = Callable[[float, str], None]

Robot = Literal["ideal", "noisy", "autopet4"]


@dataclass(frozen=True)
class EvaluationSettings:
    """How targets are clicked.

    Attributes:
        clicks: clicks per target, at least 1; the protocol "autopet4" has its own number.
        robot: "ideal" or "noisy", the kinds of `RobotUser`, for each target on its own; or "autopet4", the protocol of
            that challenge for all lesions of a scan together, see `autopet4`.
        seed: of the robot users and of the bootstrap.
        baselines: whether to apply the threshold methods to the first click of each target too.
        split_components: whether each connected part (over faces and edges) of a label is a target of its own.

    Raises:
        InputError: fewer than one click is asked for, or what cannot go together.
    """

    clicks: int = 10
    robot: Robot = "ideal"
    seed: int = 0
    baselines: bool = False
    split_components: bool = False

    def __post_init__(self) -> None:
        if self.clicks < 1:
            raise InputError(f"at least 1 click is needed, not {self.clicks}")
        if self.robot == "autopet4" and (self.baselines or self.split_components):
            raise InputError("autopet4 takes all lesions of a scan together; leave out --baselines, --split-components")

    @property
    def steps(self) -> tuple[int, ...]:
        """Numbers of clicks after which a target is measured."""
        return AUTOPET4_STEPS if self.robot == "autopet4" else tuple(range(1, self.clicks + 1))


@dataclass(frozen=True, eq=False)
class Target:
    """One target of a case: its value in the label map, its component (0 for the whole label), and its reference."""

    label: int
    component: int
    reference: Volume
    components: int


def sessions_over(backend: Backend) -> SessionFactory:
    """Return a factory of fresh interactive sessions on one backend."""
    return lambda volume: InteractiveSession(volume, backend)


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
    seconds, as far as the model itself is deterministic. A case that cannot be used is recorded with the reason.

    Args:
        cases: what to evaluate on; see `read_manifest`.
        make_session: makes a fresh session on a volume; see `sessions_over`.
        settings: how to click.
        model: name of the model, for the report.
        progress: called with how far the work is.

    Raises:
        InputError: no case can be used; with the reason of the first one.
        SegAnyPETError: the model failed.
    """
    results = []
    for number, case in enumerate(cases):

        def show(part: float, number: int = number, case: Case = case) -> None:
            progress((number + part) / len(cases), case.id)

        try:
            results.append(evaluate_case(case, make_session, settings, show))
        except InputError as error:
            results.append(CaseResult(case.id, error=str(error)))
    return evaluation_of(results, model, settings)


def evaluation_of(results: Iterable[CaseResult], model: str, settings: EvaluationSettings) -> Evaluation:
    """Put the results of cases together.

    Raises:
        InputError: no case could be used; with the reason of the first one.
    """
    evaluation = Evaluation(model, settings.robot, settings.seed, settings.steps, tuple(results))
    if len(evaluation.failed) == len(evaluation.cases):
        raise InputError(evaluation.cases[0].error)
    return evaluation


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
    """
    progress(0.0)
    image, labels = _read(case)
    if settings.robot == "autopet4":
        result = _autopet4_case(case, image, labels, make_session(image), settings)
        progress(1.0)
        return result
    targets: list[TargetResult] = []
    baselines: dict[str, list[MethodResult]] = {name: [] for name in METHODS} if settings.baselines else {}
    all_targets = list(_targets_of(labels, settings.split_components))
    for count, target in enumerate(all_targets, start=1):
        of_target = [target.label, target.component] if target.component else [target.label]
        seeds = np.random.SeedSequence([settings.seed, crc32(case.id.encode()), *of_target])
        user = RobotUser(settings.robot, seeds)
        clicked = click_through(case.id, target, image, make_session(image), user, settings.clicks)
        targets.append(clicked)
        for name, rows in baselines.items():
            rows.append(measure_method(METHODS[name], case.id, target, image, Point(clicked.prompts[0].ras)))
        progress(count / len(all_targets))
    if not all_targets:
        progress(1.0)
    return CaseResult(case.id, tuple(targets), {name: tuple(rows) for name, rows in baselines.items()})


def click_through(
    case: str, target: Target, image: Volume, session: Session, user: RobotUser, clicks: int
) -> TargetResult:
    """Click one target and measure the mask after each click.

    Args:
        case: id of its case.
        target: what is clicked; its reference has at least one voxel.
        image: the whole image.
        session: a fresh one on the image.
        user: the robot user.
        clicks: how many clicks at most.
    """
    reference = target.reference
    scores: list[Scores] = []
    seconds: list[float] = []
    prompts: list[Point] = []
    mask = np.zeros(reference.shape_kji, dtype=bool)
    for _ in range(clicks):
        point = user.next_point(reference, mask)
        if point is None:
            break
        begin = time.perf_counter()
        session.add_point(point)
        seconds.append(time.perf_counter() - begin)
        mask = session.mask_kji
        prompts.append(point)
        scores.append(score(mask, reference))
    scores += scores[-1:] * (clicks - len(scores))
    seconds += seconds[-1:] * (clicks - len(seconds))
    return _measured(case, target, image, mask, scores, seconds, prompts)


def measure_method(method: Method, case: str, target: Target, image: Volume, point: Point) -> MethodResult:
    """Apply a method without a session to one click, and measure its mask; curves have one value."""
    begin = time.perf_counter()
    mask = method(image, point)
    seconds = time.perf_counter() - begin
    volume_ml, errors = _volume_ml(target.reference), relative_errors(image, mask, target.reference.array_kji)
    scores = (score(mask, target.reference),)
    return MethodResult(case, target.label, target.component, volume_ml, scores, (seconds,), errors)


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


def _measured(
    case: str,
    target: Target,
    image: Volume,
    mask: NDArray[np.bool_],
    scores: Sequence[Scores],
    seconds: Sequence[float],
    prompts: Sequence[Point],
) -> TargetResult:
    errors = relative_errors(image, mask, target.reference.array_kji)
    return TargetResult(
        case,
        target.label,
        target.component,
        _volume_ml(target.reference),
        tuple(scores),
        tuple(seconds),
        errors,
        tuple(prompts),
        target.components,
    )


def _autopet4_case(
    case: Case, image: Volume, labels: Volume, session: Session, settings: EvaluationSettings
) -> CaseResult:
    """All lesions of a scan as one target, clicked as the challenge simulates clicks; measured from no click on."""
    reference = labels.with_array(labels.array_kji > 0)
    seeds = np.random.SeedSequence([settings.seed, crc32(case.id.encode())])
    clicks = simulated_clicks(image, reference, seeds)
    mask = np.zeros(reference.shape_kji, dtype=bool)
    scores, seconds, prompts = [score(mask, reference)], [0.0], []
    for step in settings.steps[1:]:
        begin = time.perf_counter()
        for point in clicks.of_step(step):
            session.add_point(point)
            prompts.append(point)
        seconds.append(time.perf_counter() - begin)
        mask = session.mask_kji
        scores.append(score(mask, reference))
    target = Target(0, 0, reference, ndimage.label(reference.array_kji, CONNECTIVITY_18)[1])
    if not reference.array_kji.any():
        # The challenge leaves Dice and missed volume of a scan without a lesion undefined.
        scores = [Scores(math.nan, math.nan, math.nan, math.nan, s.fpv_ml, math.nan) for s in scores]
        errors = RelativeErrors(*[math.nan] * 5)
        row = TargetResult(case.id, 0, 0, 0.0, tuple(scores), tuple(seconds), errors, tuple(prompts), 0)
        return CaseResult(case.id, (row,))
    return CaseResult(case.id, (_measured(case.id, target, image, mask, scores, seconds, prompts),))


def _volume_ml(reference: Volume) -> float:
    return int(np.count_nonzero(reference.array_kji)) * reference.voxel_ml


def _read(case: Case) -> tuple[Volume, Volume]:
    try:
        image, labels = read_pet(case.image), read_labels(case.label)
        check_same_grid(labels, image)
    except InputError as error:
        raise InputError(f"case {case.id}: {error}") from error
    return image, labels


def _targets_of(labels: Volume, split: bool) -> Iterator[Target]:
    for value in np.unique(labels.array_kji):
        if value <= 0:
            continue
        mask = labels.array_kji == value
        parts, count = ndimage.label(mask, CONNECTIVITY_18)
        if not split:
            yield Target(int(value), 0, labels.with_array(mask), count)
            continue
        for component in range(1, count + 1):
            yield Target(int(value), component, labels.with_array(parts == component), 1)
