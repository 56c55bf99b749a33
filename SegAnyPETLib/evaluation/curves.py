"""Quality over clicks: areas under the curves, falls, and their statistics over targets and cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from SegAnyPETLib.evaluation.results import CURVES, MethodResult

#: Lesions below this volume are reported apart.
SMALL_ML = 5.0

#: A click lowers the Dice if it falls by more than this.
WORSE_BY = 0.01

BOOTSTRAP_RESAMPLES = 2000
CONFIDENCE = 0.95
#: Percentile intervals from fewer cases are too narrow (coverage 0.85 with five cases), so there is none.
MIN_CASES = 10


@dataclass(frozen=True)
class Statistics:
    """A mean over targets.

    Attributes:
        mean: over all targets for which it is defined.
        median: the same.
        low: lower end of the 95 % interval of the mean; NaN if fewer than `MIN_CASES` cases have a value.
        high: its upper end.
        defined: number of targets with a value.
    """

    mean: float
    median: float
    low: float
    high: float
    defined: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values; what is undefined is None."""
        mean, median, low, high = (_finite(v) for v in (self.mean, self.median, self.low, self.high))
        return {"mean": mean, "median": median, "ci95": [low, high], "defined": self.defined}


@dataclass(frozen=True)
class GroupSummary:
    """Statistics of a group of targets.

    Attributes:
        count: targets.
        cases: cases that they are from.
        curves: for each metric, statistics after each step.
        areas: under the curves of Dice, surface Dice at 2 mm and false volumes, divided by their width.
        largest_drop: of Dice from one step to the next.
        worse_share: share of all steps that lower the Dice by more than `WORSE_BY`; NaN without a second step.
        worst_drop: largest of all falls of Dice.
        absolute_relative_error: magnitude of the relative error of each quantity.
    """

    count: int
    cases: int
    curves: dict[str, tuple[Statistics, ...]]
    areas: dict[str, Statistics]
    largest_drop: Statistics
    worse_share: float
    worst_drop: float
    absolute_relative_error: dict[str, Statistics]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; a curve has a list over steps under each of its statistics."""
        curves = {name: _columns([step.to_json() for step in steps]) for name, steps in self.curves.items()}
        areas = {f"{name}_area": area.to_json() for name, area in self.areas.items()}
        errors = {name: error.to_json() for name, error in self.absolute_relative_error.items()}
        return {
            "count": self.count,
            "cases": self.cases,
            **curves,
            **areas,
            "dice_largest_drop": self.largest_drop.to_json(),
            "worse_share": _finite(self.worse_share),
            "worst_drop": self.worst_drop,
            "absolute_relative_error": errors,
        }


@dataclass(frozen=True)
class Summary:
    """Statistics of an evaluation; a group without a target is None.

    Attributes:
        per_case: of the means over the targets of each case, so that a case with many lesions counts once.
        all: of all targets.
        small: of those below 5 ml.
        large: of the others.
    """

    per_case: GroupSummary | None
    all: GroupSummary | None
    small: GroupSummary | None
    large: GroupSummary | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        groups = {"cases": self.per_case, "all": self.all, "small": self.small, "large": self.large}
        return {name: None if group is None else group.to_json() for name, group in groups.items()}


def curve_area(values: ArrayLike) -> float:
    """Return the area under a curve over clicks (trapezoid), divided by its width: a constant has its own value.

    Args:
        values: one value after each click; a single one is its own area.
    """
    curve = np.asarray(values, dtype=np.float64)
    return float(np.trapezoid(curve) / (curve.size - 1)) if curve.size > 1 else float(curve[0])


def largest_drop(values: ArrayLike) -> float:
    """Return how much a curve falls from one click to the next at worst; 0 if it never falls."""
    curve = np.asarray(values, dtype=np.float64)
    return float(max(0.0, -np.diff(curve).min())) if curve.size > 1 else 0.0


def describe(values: ArrayLike, cases: Sequence[str], seed: int = 0) -> Statistics:
    """Compute mean, median and a bootstrap interval of the mean over targets.

    Lesions of one patient are alike, so the bootstrap resamples cases and takes all their lesions (cluster bootstrap):
    lesions resampled as if independent gave an interval of 95 % that held the mean in 66 % of simulated studies.

    Args:
        values: (targets,); NaN marks what is undefined and is left out.
        cases: the case of each target.
        seed: of the bootstrap.
    """
    column = np.asarray(values, dtype=np.float64)
    is_defined = np.isfinite(column)
    defined = column[is_defined]
    if defined.size == 0:
        return Statistics(math.nan, math.nan, math.nan, math.nan, 0)
    of_case = np.unique(np.asarray(cases, dtype=str)[is_defined], return_inverse=True)[1]
    low, high = _interval(np.bincount(of_case, defined), np.bincount(of_case), seed)
    return Statistics(float(defined.mean()), float(np.median(defined)), low, high, int(defined.size))


def _interval(sums: NDArray, counts: NDArray, seed: int) -> tuple[float, float]:
    """Percentile interval of the mean over resampled cases, from the sum and number of each case's values."""
    if sums.size < MIN_CASES:
        return math.nan, math.nan
    picks = np.random.default_rng(seed).integers(sums.size, size=(BOOTSTRAP_RESAMPLES, sums.size))
    means = sums[picks].sum(axis=1) / counts[picks].sum(axis=1)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


def summarise(targets: Sequence[MethodResult], seed: int = 0) -> Summary:
    """Compute the statistics of many targets.

    Args:
        targets: of any number of cases.
        seed: of the bootstrap.
    """
    small = [t for t in targets if t.volume_ml < SMALL_ML]
    large = [t for t in targets if t.volume_ml >= SMALL_ML]
    whole, apart, others = (_summarise_group(group, seed) for group in (targets, small, large))
    return Summary(_per_case(targets, seed), whole, apart, others)


def _summarise_group(targets: Sequence[MethodResult], seed: int) -> GroupSummary | None:
    if not targets:
        return None
    tables = {name: np.array([t.curve(name) for t in targets]) for name in CURVES}
    errors = [asdict(t.relative_error) for t in targets]
    magnitudes = {name: np.abs([error[name] for error in errors]) for name in errors[0]}
    return _group(tables, magnitudes, [t.case for t in targets], seed)


def _per_case(targets: Sequence[MethodResult], seed: int) -> GroupSummary | None:
    """The same with one row per case: the mean over its targets, NaN if it is undefined for all of them."""
    members: dict[str, list[MethodResult]] = {}
    for target in targets:
        members.setdefault(target.case, []).append(target)
    if not members:
        return None
    tables = {
        name: np.array([_nan_mean(np.array([t.curve(name) for t in rows])) for rows in members.values()])
        for name in CURVES
    }
    errors = {
        name: np.array(
            [_nan_mean(np.abs([[getattr(t.relative_error, name)] for t in rows]))[0] for rows in members.values()]
        )
        for name in asdict(targets[0].relative_error)
    }
    return _group(tables, errors, list(members), seed)


def _group(tables: dict[str, NDArray], errors: dict[str, NDArray], cases: Sequence[str], seed: int) -> GroupSummary:
    changes = np.diff(tables["dice"], axis=1)
    known = changes[np.isfinite(changes)]
    drops = [largest_drop(curve) for curve in tables["dice"]]
    area_of = ("dice", "nsd_2mm", "fpv_ml", "fnv_ml")
    return GroupSummary(
        count=len(cases),
        cases=len(set(cases)),
        curves={n: tuple(describe(column, cases, seed) for column in table.T) for n, table in tables.items()},
        areas={n: describe([curve_area(curve) for curve in tables[n]], cases, seed) for n in area_of},
        largest_drop=describe(drops, cases, seed),
        worse_share=float((known < -WORSE_BY).mean()) if known.size else math.nan,
        worst_drop=float(max(0.0, -known.min())) if known.size else 0.0,
        absolute_relative_error={name: describe(values, cases, seed) for name, values in errors.items()},
    )


def _nan_mean(table: NDArray) -> NDArray:
    """Mean over rows of what is defined; NaN if nothing is."""
    defined = np.isfinite(table)
    count = defined.sum(axis=0)
    return np.where(count > 0, np.where(defined, table, 0.0).sum(axis=0) / np.maximum(count, 1), math.nan)


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {key: [row[key] for row in rows] for key in rows[0]}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
