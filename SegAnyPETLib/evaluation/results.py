"""What an evaluation measured: per target, per case and as a whole."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.evaluation.metrics import Scores
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.notes import Note

#: Metrics of a target that have one value after each step.
CURVES = tuple(metric.name for metric in fields(Scores))


@dataclass(frozen=True)
class TargetFacts:
    """What is known of a target before it is segmented.

    Attributes:
        case: id of its case.
        label: its value in the label map; 0 for all lesions of the case together.
        component: number of the connected component, from 1; 0 if the label is one target.
        volume_ml: of the reference.
        components: connected parts of the reference, over faces and edges.
        touching: whether it shares a face or an edge with another target.
        contrast: its mean over the median around it, see `targets.contrast`; NaN if nothing lies around it.
    """

    case: str
    label: int
    component: int
    volume_ml: float
    components: int = 1
    touching: bool = False
    contrast: float = math.nan

    def to_json(self) -> dict[str, Any]:
        """Return plain values; what is undefined is None."""
        values = asdict(self) | {"contrast": finite(self.contrast)}
        if not self.component:
            del values["component"]
        return values


@dataclass(frozen=True)
class RelativeErrors:
    """Relative errors of quantities, (predicted - reference) / reference; NaN if undefined."""

    suv_max: float
    suv_mean: float
    suv_peak: float
    mtv: float
    tlg: float


@dataclass(frozen=True)
class MethodResult:
    """What was measured on a target that a method segmented.

    Attributes:
        target: what was segmented.
        scores: after each step.
        seconds: of each step, without the scoring.
        relative_error: of the last mask.
    """

    target: TargetFacts
    scores: tuple[Scores, ...]
    seconds: tuple[float, ...]
    relative_error: RelativeErrors

    def curve(self, metric: str) -> NDArray[np.float64]:
        """Return one metric after each step."""
        return np.array([getattr(score, metric) for score in self.scores], dtype=np.float64)

    @property
    def steps_made(self) -> int:
        """Number of scores that were measured; the last of them fills the rest."""
        return len(self.scores)

    def to_json(self) -> dict[str, Any]:
        """Return plain values; what is undefined is None."""
        curves = {metric: [finite(value) for value in self.curve(metric).tolist()] for metric in CURVES}
        errors = {quantity: finite(value) for quantity, value in asdict(self.relative_error).items()}
        return self.target.to_json() | curves | {"seconds": list(self.seconds), "relative_error": errors}


@dataclass(frozen=True)
class TargetResult(MethodResult):
    """What was measured on a target that was clicked.

    Attributes:
        prompts: the clicks, in their order.
        size_step: number of the step, from 1, that took another size instead of a click; 0 if none did.
        measured: number of steps that were made and measured; None for as many as there are scores.
    """

    prompts: tuple[Point, ...] = ()
    size_step: int = 0
    measured: int | None = None

    @property
    def steps_made(self) -> int:
        """Number of scores that were measured; the last of them fills the rest."""
        return len(self.scores) if self.measured is None else self.measured

    def to_json(self) -> dict[str, Any]:
        """Return plain values; what is undefined is None."""
        values = super().to_json() | {
            "clicks_used": len(self.prompts),
            "prompts": [{"ras": list(p.ras), "positive": p.positive} for p in self.prompts],
        }
        return values | ({"size_step": self.size_step} if self.size_step else {})


@dataclass(frozen=True)
class CaseResult:
    """What was measured on one case.

    Attributes:
        case: its id.
        targets: none for a case without a lesion.
        baselines: the same for each threshold method.
        error: why the case could not be evaluated, "" if it was.
        notes: what is doubtful about its image or labels.
        assumed: what had to be assumed to get SUV, in one line.
    """

    case: str
    targets: tuple[TargetResult, ...] = ()
    baselines: dict[str, tuple[MethodResult, ...]] = field(default_factory=dict)
    error: str = ""
    notes: tuple[Note, ...] = ()
    assumed: str = ""


@dataclass(frozen=True)
class Evaluation:
    """An evaluation of a model.

    Attributes:
        model: its name.
        robot: the simulated user or the protocol.
        seed: of the simulated users and of the bootstrap.
        steps: number of clicks after which targets were measured.
        cases: in the order of the manifest.
    """

    model: str
    robot: str
    seed: int
    steps: tuple[int, ...]
    cases: tuple[CaseResult, ...]

    @property
    def targets(self) -> tuple[TargetResult, ...]:
        """The targets of all cases."""
        return tuple(target for case in self.cases for target in case.targets)

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases that could not be evaluated."""
        return tuple(case for case in self.cases if case.error)

    @property
    def without_lesion(self) -> tuple[str, ...]:
        """Ids of the cases that have no target."""
        return tuple(case.case for case in self.cases if not case.targets and not case.error)

    def baselines(self) -> Iterator[tuple[str, tuple[MethodResult, ...]]]:
        """Yield each threshold method with its results on all targets."""
        names = dict.fromkeys(name for case in self.cases for name in case.baselines)
        for name in names:
            yield name, tuple(row for case in self.cases for row in case.baselines.get(name, ()))


def finite(value: float) -> float | None:
    """Return a number, or None if JSON cannot hold it."""
    return value if math.isfinite(value) else None
