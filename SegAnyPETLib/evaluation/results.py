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

#: Metrics of a target that have one value after each step.
CURVES = tuple(metric.name for metric in fields(Scores))


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
        case: id of its case.
        label: its value in the label map; 0 for all lesions of the case together.
        component: number of the connected component, from 1; 0 if the label is one target.
        volume_ml: of the reference.
        scores: after each step.
        seconds: of each step, without the scoring.
        relative_error: of the last mask.
    """

    case: str
    label: int
    component: int
    volume_ml: float
    scores: tuple[Scores, ...]
    seconds: tuple[float, ...]
    relative_error: RelativeErrors

    def curve(self, metric: str) -> NDArray[np.float64]:
        """Return one metric after each step."""
        return np.array([getattr(score, metric) for score in self.scores], dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Return plain values; what is undefined is None."""
        name: dict[str, Any] = {"case": self.case, "label": self.label}
        if self.component:
            name["component"] = self.component
        curves = {metric: [_number(value) for value in self.curve(metric)] for metric in CURVES}
        errors = {quantity: _number(value) for quantity, value in asdict(self.relative_error).items()}
        measured = {"volume_ml": self.volume_ml, **curves, "seconds": list(self.seconds), "relative_error": errors}
        return name | measured


@dataclass(frozen=True)
class TargetResult(MethodResult):
    """What was measured on a target that was clicked.

    Attributes:
        prompts: the clicks, in their order.
        components: connected parts of the reference.
    """

    prompts: tuple[Point, ...] = ()
    components: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return plain values; what is undefined is None."""
        return super().to_json() | {
            "components": self.components,
            "clicks_used": len(self.prompts),
            "prompts": [{"ras": list(p.ras), "positive": p.positive} for p in self.prompts],
        }


@dataclass(frozen=True)
class CaseResult:
    """What was measured on one case.

    Attributes:
        case: its id.
        targets: none for a case without a lesion.
        baselines: the same for each threshold method.
        error: why the case could not be evaluated, "" if it was.
    """

    case: str
    targets: tuple[TargetResult, ...] = ()
    baselines: dict[str, tuple[MethodResult, ...]] = field(default_factory=dict)
    error: str = ""


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


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
