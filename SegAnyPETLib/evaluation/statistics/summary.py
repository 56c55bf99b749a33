"""Statistics of the results of many targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.evaluation.results import CURVES, MethodResult, finite
from SegAnyPETLib.evaluation.statistics.curves import curve_area, falls
from SegAnyPETLib.evaluation.statistics.intervals import Statistics, describe, describe_columns
from SegAnyPETLib.evaluation.statistics.strata import SMALL_ML, STRATA, Stratum

#: Metrics of which the area under the curve is described.
AREAS = ("dice", "nsd_2mm", "fpv_ml", "fnv_ml")


@dataclass(frozen=True)
class GroupSummary:
    """Statistics of a group of targets, or of cases.

    Attributes:
        count: targets, or cases.
        cases: cases that they are from.
        curves: for each metric, statistics after each step.
        areas: under the curves of `AREAS`, divided by their width.
        largest_drop: of Dice from one step to the next.
        worse_share: share of the steps after the first that lower the Dice by more than `curves.WORSE_BY`.
        worst_drop: largest of all falls of Dice.
        absolute_relative_error: magnitude of the relative error of each quantity.
    """

    count: int
    cases: int
    curves: dict[str, tuple[Statistics, ...]]
    areas: dict[str, Statistics]
    largest_drop: Statistics
    worse_share: Statistics
    worst_drop: float
    absolute_relative_error: dict[str, Statistics]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; a curve has a list over steps under each of its statistics."""
        return {
            "count": self.count,
            "cases": self.cases,
            **{name: _columns([step.to_json() for step in steps]) for name, steps in self.curves.items()},
            **{f"{name}_area": area.to_json() for name, area in self.areas.items()},
            "dice_largest_drop": self.largest_drop.to_json(),
            "worse_share": self.worse_share.to_json(),
            "worst_drop": finite(self.worst_drop),
            "absolute_relative_error": {n: error.to_json() for n, error in self.absolute_relative_error.items()},
        }


@dataclass(frozen=True)
class Summary:
    """Statistics of an evaluation; a group without a member is None.

    Attributes:
        per_case: of the means over the targets of each case, so that a case with many lesions counts once.
        all: of all targets.
        small: of those below 5 ml.
        large: of the others.
        strata: of each of `strata.STRATA`.
    """

    per_case: GroupSummary | None
    all: GroupSummary | None
    small: GroupSummary | None
    large: GroupSummary | None
    strata: tuple[tuple[Stratum, GroupSummary | None], ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        groups = {"cases": self.per_case, "all": self.all, "small": self.small, "large": self.large}
        plain: dict[str, Any] = {name: _plain(group) for name, group in groups.items()}
        strata: dict[str, dict[str, Any]] = {}
        for stratum, group in self.strata:
            strata.setdefault(stratum.kind, {})[stratum.name] = _plain(group)
        return plain | {"strata": strata}


def summarise(targets: Sequence[MethodResult], without_lesion: Sequence[str] = (), seed: int = 0) -> Summary:
    """Compute the statistics of many targets.

    Args:
        targets: of any number of cases.
        without_lesion: ids of the cases without a target. Nothing is clicked in them, so that their mask is empty:
            their false positive volume is 0, and what compares with a lesion is undefined.
        seed: of the bootstrap.
    """
    small = [t for t in targets if t.target.volume_ml < SMALL_ML]
    large = [t for t in targets if t.target.volume_ml >= SMALL_ML]
    whole, apart, others = (summarise_group(group, seed) for group in (targets, small, large))
    strata = tuple((s, summarise_group([t for t in targets if s.holds(t.target)], seed)) for s in STRATA)
    return Summary(_per_case(targets, without_lesion, seed), whole, apart, others, strata)


def summarise_group(targets: Sequence[MethodResult], seed: int = 0) -> GroupSummary | None:
    """Compute the statistics of a group of targets; None if there is none."""
    if not targets:
        return None
    return _group([_Row.of(target) for target in targets], seed)


@dataclass(frozen=True, eq=False)
class _Row:
    """What one target, or the mean over a case, adds to a group.

    Attributes:
        case: the id of its case.
        curves: array over steps for each metric.
        largest_drop: of Dice.
        steps: steps that could make it worse; a number of targets' steps.
        worse: those that did.
        errors: magnitude of the relative error of each quantity.
    """

    case: str
    curves: dict[str, NDArray]
    largest_drop: float
    steps: int
    worse: int
    errors: dict[str, float]

    @classmethod
    def of(cls, result: MethodResult) -> _Row:
        curves = {name: result.curve(name) for name in CURVES}
        falling = falls(curves["dice"][: result.steps_made])
        errors = {name: abs(error) for name, error in asdict(result.relative_error).items()}
        return cls(result.target.case, curves, falling.largest, falling.steps, falling.worse, errors)

    @classmethod
    def mean(cls, rows: Sequence[_Row]) -> _Row:
        """Mean over the targets of a case of what is defined."""
        return cls(
            rows[0].case,
            {name: _nan_mean(np.array([row.curves[name] for row in rows])) for name in CURVES},
            float(np.mean([row.largest_drop for row in rows])),
            sum(row.steps for row in rows),
            sum(row.worse for row in rows),
            {name: float(_nan_mean(np.array([[row.errors[name]] for row in rows]))[0]) for name in rows[0].errors},
        )

    @classmethod
    def empty(cls, case: str, like: _Row) -> _Row:
        """Build the row of a case without a lesion."""
        steps = len(like.curves["dice"])
        curves = {name: np.full(steps, 0.0 if name == "fpv_ml" else math.nan) for name in CURVES}
        return cls(case, curves, math.nan, 0, 0, dict.fromkeys(like.errors, math.nan))


def _per_case(targets: Sequence[MethodResult], without_lesion: Sequence[str], seed: int) -> GroupSummary | None:
    of_case: dict[str, list[_Row]] = {}
    for target in targets:
        of_case.setdefault(target.target.case, []).append(_Row.of(target))
    if not of_case:
        return None
    rows = [_Row.mean(members) for members in of_case.values()]
    return _group([*rows, *(_Row.empty(case, rows[0]) for case in without_lesion)], seed)


def _group(rows: Sequence[_Row], seed: int) -> GroupSummary:
    cases = [row.case for row in rows]
    drops = np.array([row.largest_drop for row in rows])
    tables = {name: np.array([row.curves[name] for row in rows]) for name in CURVES}
    errors = np.array([list(row.errors.values()) for row in rows])
    return GroupSummary(
        count=len(rows),
        cases=len(set(cases)),
        curves={name: describe_columns(table, cases, seed) for name, table in tables.items()},
        areas={name: describe([curve_area(curve) for curve in tables[name]], cases, seed) for name in AREAS},
        largest_drop=describe(drops, cases, seed),
        worse_share=_worse_share(rows, seed),
        worst_drop=float(np.nanmax(drops, initial=0.0)),
        absolute_relative_error=dict(zip(rows[0].errors, describe_columns(errors, cases, seed), strict=True)),
    )


def _worse_share(rows: Sequence[_Row], seed: int) -> Statistics:
    """Statistics over all steps of all rows, each 1 if it made it worse, else 0."""
    steps = [row.steps for row in rows]
    worse = np.concatenate([np.arange(row.steps) < row.worse for row in rows]).astype(float)
    return describe(worse, np.repeat([row.case for row in rows], steps).tolist(), seed)


def _nan_mean(table: NDArray) -> NDArray:
    """Mean over rows of what is defined; NaN if nothing is."""
    defined = np.isfinite(table)
    count = defined.sum(axis=0)
    return np.where(count > 0, np.where(defined, table, 0.0).sum(axis=0) / np.maximum(count, 1), math.nan)


def _plain(group: GroupSummary | None) -> dict[str, Any] | None:
    return None if group is None else group.to_json()


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {key: [row[key] for row in rows] for key in rows[0]}
