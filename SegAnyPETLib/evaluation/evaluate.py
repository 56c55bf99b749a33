"""Measure a model as a user meets it: whole images, a fresh session per target, one click after the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.evaluation.curves import CURVES, summarise
from SegAnyPETLib.evaluation.manifest import Case
from SegAnyPETLib.evaluation.metrics import score
from SegAnyPETLib.evaluation.robot import RobotKind, RobotUser
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


@dataclass(frozen=True)
class Settings:
    """How targets are clicked.

    Attributes:
        clicks: clicks per target, at least 1.
        robot: kind of the robot user.
        seed: of the robot users and of the bootstrap.
        baselines: whether to apply the threshold methods to the first click of each target too.

    Raises:
        InputError: fewer than one click is asked for.
    """

    clicks: int = 10
    robot: RobotKind = "ideal"
    seed: int = 0
    baselines: bool = False

    def __post_init__(self) -> None:
        if self.clicks < 1:
            raise InputError(f"at least 1 click is needed, not {self.clicks}")


@dataclass(frozen=True)
class CaseResult:
    """What was measured on the targets of one case; undefined values are NaN.

    Attributes:
        targets: members of ``targets`` of `evaluate`.
        baselines: the same for each threshold method.
    """

    targets: list[dict[str, Any]]
    baselines: dict[str, list[dict[str, Any]]]


def sessions_over(backend: Backend) -> SessionFactory:
    """Fresh interactive sessions on one backend."""
    return lambda volume: InteractiveSession(volume, backend)


def evaluate(
    cases: Sequence[Case],
    make_session: SessionFactory,
    *,
    model: str,
    clicks: int = 10,
    robot: RobotKind = "ideal",
    seed: int = 0,
    baselines: bool = False,
    progress: Progress = lambda part, case: None,
) -> dict[str, Any]:
    """Click every target of every case and measure the mask after each click.

    Each target is segmented from the whole image by one fresh session and by a robot user of its own, whose generator
    depends on the seed, the case and the label only; so results do not depend on the order or number of cases. Once the
    robot user finds no error, it stops, and the last values fill the lists. Equal seeds give equal results but for the
    seconds, as far as the model itself is deterministic.

    Args:
        cases: what to evaluate on; see `read_manifest`.
        make_session: makes a fresh session on a volume; see `sessions_over`.
        model: name of the model, for the report.
        clicks: clicks per target, at least 1.
        robot: kind of the robot user.
        seed: of the robot users and of the bootstrap.
        baselines: whether to apply the threshold methods to the first click of each target too.
        progress: told how far the work is.

    Returns:
        A result that JSON can hold; what is undefined is None::

            {"model": ..., "clicks": N, "robot": ..., "seed": ...,
             "targets": [{"case": id, "label": v, "volume_ml": x, "dice": [after 1, ..., after N clicks],
                          "nsd_2mm": [...], "nsd_4mm": [...], "hd95_mm": [...], "fpv_ml": [...], "fnv_ml": [...],
                          "seconds": [...], "clicks_used": n, "prompts": [{"ras": [r, a, s], "positive": true}, ...],
                          "relative_error": {"suv_max": x, "suv_mean": x, "suv_peak": x, "mtv": x, "tlg": x}}],
             "summary": {"all": ..., "small": ..., "large": ..., "cases": ...},
             "baselines": {method: {"targets": [...], "summary": {...}}}}

        ``seconds`` is the time of each click without the scoring. ``relative_error`` is that of the last mask,
        (predicted - reference) / reference. See `metrics.Scores` for the metrics, `curves.summarise` for the summary.
        Targets of a baseline have lists of one value.

    Raises:
        InputError: fewer than one click is asked for, or a case cannot be read or has no target.
    """
    settings = Settings(clicks, robot, seed, baselines)
    results = []
    for number, case in enumerate(cases):

        def show(part: float, number: int = number, case: Case = case) -> None:
            progress((number + part) / len(cases), case.id)

        results.append(evaluate_case(case, make_session, settings, show))
    return summarised(results, model, settings)


def evaluate_case(
    case: Case, make_session: SessionFactory, settings: Settings, progress: Callable[[float], None] = lambda part: None
) -> CaseResult:
    """Click every target of one case; see `evaluate`.

    Args:
        case: what to evaluate on.
        make_session: makes a fresh session on a volume.
        settings: how to click.
        progress: told the part of the case that is done, 0 to 1.

    Raises:
        InputError: the case cannot be read or has no target.
    """
    progress(0.0)
    image, labels = _read(case)
    values = _target_values(case, labels)
    targets: list[dict[str, Any]] = []
    baselines: dict[str, list[dict[str, Any]]] = {name: [] for name in METHODS} if settings.baselines else {}
    for count, label in enumerate(values, start=1):
        about = {"case": case.id, "label": label}
        reference = labels.with_array(labels.array_kji == label)
        user = RobotUser(settings.robot, np.random.SeedSequence([settings.seed, crc32(case.id.encode()), label]))
        target = click_through(image, reference, make_session(image), user, settings.clicks)
        targets.append(about | target)
        first = Point(target["prompts"][0]["ras"])
        for name, rows in baselines.items():
            rows.append(about | measure_method(METHODS[name], image, reference, first))
        progress(count / len(values))
    return CaseResult(targets, baselines)


def summarised(results: Iterable[CaseResult], model: str, settings: Settings) -> dict[str, Any]:
    """What `evaluate` returns, from the results of its cases in their order."""
    targets: list[dict[str, Any]] = []
    baselines: dict[str, list[dict[str, Any]]] = {name: [] for name in METHODS} if settings.baselines else {}
    for result in results:
        targets += result.targets
        for name, rows in result.baselines.items():
            baselines[name] += rows
    whole: dict[str, Any] = {
        "model": model,
        "clicks": settings.clicks,
        "robot": settings.robot,
        "seed": settings.seed,
        "targets": targets,
        "summary": summarise(targets, settings.seed),
    }
    if settings.baselines:
        described = {n: {"targets": rows, "summary": summarise(rows, settings.seed)} for n, rows in baselines.items()}
        whole["baselines"] = described
    return plain(whole)


def click_through(image: Volume, reference: Volume, session: Session, user: RobotUser, clicks: int) -> dict[str, Any]:
    """Click one target and measure the mask after each click.

    Args:
        image: the whole image.
        reference: bool volume of the target on the image's grid, with at least one voxel.
        session: a fresh session on the image.
        user: the robot user.
        clicks: how many clicks at most.

    Returns:
        A member of ``targets`` of `evaluate` without case and label; what is undefined is NaN.
    """
    rows: list[dict[str, float]] = []
    prompts: list[Point] = []
    mask = np.zeros(reference.shape_kji, dtype=bool)
    for _ in range(clicks):
        point = user.next_point(reference, mask)
        if point is None:
            break
        start = time.perf_counter()
        session.add_point(point)
        seconds = time.perf_counter() - start
        mask = session.mask_kji
        prompts.append(point)
        rows.append(asdict(score(mask, reference)) | {"seconds": seconds})
    rows += rows[-1:] * (clicks - len(rows))
    return _measured(image, reference, mask, rows) | {
        "clicks_used": len(prompts),
        "prompts": [{"ras": list(p.ras), "positive": p.positive} for p in prompts],
    }


def measure_method(method: Method, image: Volume, reference: Volume, point: Point) -> dict[str, Any]:
    """Apply a method without a session to one click, and measure its mask; curves have one value."""
    start = time.perf_counter()
    mask = method(image, point)
    seconds = time.perf_counter() - start
    return _measured(image, reference, mask, [asdict(score(mask, reference)) | {"seconds": seconds}])


def relative_errors(image: Volume, predicted: NDArray[np.bool_], reference: NDArray[np.bool_]) -> dict[str, float]:
    """Relative errors of the SUV quantities of a mask against those of the reference mask.

    Args:
        image: the PET.
        predicted: bool array (k, j, i) on the image's grid.
        reference: the same, with at least one voxel.

    Returns:
        (predicted - reference) / reference for SUVmax, SUVmean, SUVpeak, MTV and TLG. An empty prediction has -1 for
        MTV and TLG, and NaN for the others. A reference value of zero gives NaN.
    """
    names = {"suv_max": "suv_max", "suv_mean": "suv_mean", "suv_peak": "suv_peak", "mtv": "volume_ml", "tlg": "tlg"}
    if not predicted.any():
        return {name: -1.0 if name in ("mtv", "tlg") else math.nan for name in names}
    found, expected = asdict(quantities(image, predicted)), asdict(quantities(image, reference))
    return {
        name: (found[key] - expected[key]) / expected[key] if expected[key] else math.nan for name, key in names.items()
    }


def _measured(
    image: Volume, reference: Volume, mask: NDArray[np.bool_], rows: Sequence[dict[str, float]]
) -> dict[str, Any]:
    return {
        "volume_ml": int(np.count_nonzero(reference.array_kji)) * reference.voxel_ml,
        **{name: [row[name] for row in rows] for name in (*CURVES, "seconds")},
        "relative_error": relative_errors(image, mask, reference.array_kji),
    }


def _read(case: Case) -> tuple[Volume, Volume]:
    try:
        image, labels = read_pet(case.image), read_labels(case.label)
        check_same_grid(labels, image)
    except InputError as error:
        raise InputError(f"case {case.id}: {error}") from error
    return image, labels


def _target_values(case: Case, labels: Volume) -> list[int]:
    values = [int(value) for value in np.unique(labels.array_kji) if value > 0]
    if not values:
        raise InputError(f"case {case.id}: the label map has no positive value, so there is no target")
    return values


def plain(value: Any) -> Any:
    """The same with None for numbers that are not finite, which JSON does not know."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
