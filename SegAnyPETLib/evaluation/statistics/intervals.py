"""Means over targets with intervals over cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from SegAnyPETLib.evaluation.results import finite

BOOTSTRAP_RESAMPLES = 2000
CONFIDENCE = 0.95

#: Too few cases say nothing about those that were not measured, so there is no interval.
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
        interval = [finite(self.low), finite(self.high)]
        return {"mean": finite(self.mean), "median": finite(self.median), "ci95": interval, "defined": self.defined}


NOTHING = Statistics(math.nan, math.nan, math.nan, math.nan, 0)


def describe(values: ArrayLike, cases: Sequence[str], seed: int = 0) -> Statistics:
    """Compute mean, median and interval over targets; see `describe_columns`.

    Args:
        values: (targets,); NaN marks what is undefined and is left out.
        cases: the case of each target.
        seed: of the bootstrap.
    """
    return describe_columns(np.asarray(values, dtype=np.float64)[:, None], cases, seed)[0]


def describe_columns(table: NDArray, cases: Sequence[str], seed: int = 0) -> tuple[Statistics, ...]:
    """Compute mean, median and a bootstrap interval of the mean over targets, for each column of a table.

    Lesions of one patient are alike, so the bootstrap resamples cases and takes all their lesions (cluster bootstrap).
    Percentiles are those of the expanded percentile interval (Hesterberg 2015, doi 10.1080/00031305.2015.1089789,
    section 4.4), which is as wide as that of Student's t for a mean of as many cases.

    Args:
        table: (targets, columns); NaN marks what is undefined and is left out.
        cases: the case of each target.
        seed: of the bootstrap.
    """
    if not len(table):
        return (NOTHING,) * table.shape[1]
    names, of_case = np.unique(np.asarray(cases, dtype=str), return_inverse=True)
    defined = np.isfinite(table)
    sums, counts = np.zeros((len(names), table.shape[1])), np.zeros((len(names), table.shape[1]))
    np.add.at(sums, of_case, np.where(defined, table, 0.0))
    np.add.at(counts, of_case, defined)
    means = _resampled_means(sums, counts, seed)
    with_value = np.count_nonzero(counts, axis=0)
    return tuple(
        _statistics(table[defined[:, column], column], means[:, column], int(with_value[column]))
        for column in range(table.shape[1])
    )


def _resampled_means(sums: NDArray, counts: NDArray, seed: int) -> NDArray:
    """Means (resamples, columns) over all targets of resampled cases; NaN if none of them has a value."""
    cases = len(sums)
    if cases < MIN_CASES:
        return np.full((1, sums.shape[1]), math.nan)
    times = np.random.default_rng(seed).multinomial(cases, np.full(cases, 1 / cases), BOOTSTRAP_RESAMPLES)
    numbers = times @ counts
    return np.divide(times @ sums, numbers, out=np.full(numbers.shape, math.nan), where=numbers > 0)


def _statistics(values: NDArray, resampled: NDArray, cases: int) -> Statistics:
    if not values.size:
        return NOTHING
    low = high = math.nan
    if cases >= MIN_CASES:
        tail = 100 * expanded_tail(cases)
        low, high = (float(p) for p in np.nanpercentile(resampled, [tail, 100 - tail]))
    return Statistics(float(values.mean()), float(np.median(values)), low, high, int(values.size))


def expanded_tail(cases: int) -> float:
    """Return the share of resamples on either side of the expanded percentile interval of so many cases."""
    t = stats.t.ppf((1 - CONFIDENCE) / 2, cases - 1)
    return float(stats.norm.cdf(math.sqrt(cases / (cases - 1)) * t))
