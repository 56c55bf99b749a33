"""Agreement between readers, and of a reader with himself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pingouin
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.weightstats import DescrStatsW

from SegAnyPETLib.errors import InputError

#: Of a standard deviation, what 95 % of a normal distribution lie within.
LIMIT = 1.96
#: STAPLE's specificity depends on how much background it sees: so many voxels around the union of the masks.
STAPLE_MARGIN = 2


@dataclass(frozen=True)
class Agreement:
    """How well readers agree on a quantity.

    Attributes:
        icc: intraclass correlation ICC(2,1): two-way random, absolute agreement, one reading (Shrout & Fleiss 1979).
        low: lower end of its 95 % interval.
        high: its upper end.
        cov: mean over cases of the coefficient of variation between readers; NaN if a mean is not above zero.
        cases: number of cases that every reader read.
        readers: number of readers.
    """

    icc: float
    low: float
    high: float
    cov: float
    cases: int
    readers: int


@dataclass(frozen=True)
class BlandAltman:
    """Bias and limits of agreement of two measurements.

    Attributes:
        bias: mean of second less first.
        bias_interval: its 95 % interval.
        lower: lower limit of agreement.
        lower_interval: its 95 % interval.
        upper: upper limit.
        upper_interval: its 95 % interval.
        pairs: number of pairs.
    """

    bias: float
    bias_interval: tuple[float, float]
    lower: float
    lower_interval: tuple[float, float]
    upper: float
    upper_interval: tuple[float, float]
    pairs: int


def agreement(values: ArrayLike, log: bool = False) -> Agreement:
    """Compute how well readers agree.

    Args:
        values: (cases, readers); a case with NaN is left out, and not counted.
        log: whether the correlation is that of logarithms, as for volumes.

    Raises:
        InputError: there are fewer than three complete cases or two readers.
    """
    table = np.asarray(values, dtype=np.float64)
    table = table[np.isfinite(table).all(1) & ((table > 0).all(1) | (not log))]
    cases, readers = table.shape
    if cases < 3 or readers < 2:
        raise InputError("agreement needs three cases that two readers read; finish more readings")
    long = pd.DataFrame(
        {
            "case": np.repeat(np.arange(cases), readers),
            "reader": np.tile(np.arange(readers), cases),
            "value": (np.log(table) if log else table).ravel(),
        }
    )
    with _unrounded():
        found = pingouin.intraclass_corr(data=long, targets="case", raters="reader", ratings="value").set_index("Type")
    row = found.loc["ICC(A,1)"]
    means = table.mean(1)
    cov = float((table.std(1, ddof=1) / means).mean()) if (means > 0).all() else math.nan
    low, high = (float(end) for end in row["CI95"])
    return Agreement(float(row["ICC"]), low, high, cov, cases, readers)


@contextmanager
def _unrounded() -> Iterator[None]:
    """Keep pingouin from rounding intervals to two digits."""
    key = "round.column.CI95"
    before = pingouin.options[key]
    pingouin.options[key] = None
    try:
        yield
    finally:
        pingouin.options[key] = before


def bland_altman(first: ArrayLike, second: ArrayLike) -> BlandAltman:
    """Compute bias and limits of agreement with their intervals.

    Standard errors of the limits are those of Bland & Altman 1999 (doi 10.1177/096228029900800204, section 2): the
    square root of ``sd**2 * (1 / n + 1.96**2 / (2 * (n - 1)))``.

    Args:
        first: (pairs,); pairs with NaN are left out.
        second: (pairs,).

    Raises:
        InputError: there are fewer than three pairs.
    """
    differences = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    differences = differences[np.isfinite(differences)]
    pairs = len(differences)
    if pairs < 3:
        raise InputError("limits of agreement need three pairs; finish more readings")
    described = DescrStatsW(differences, ddof=1)
    bias, sd = float(described.mean), float(described.std)
    low, high = described.tconfint_mean()
    # The interval of the mean is t * sd / sqrt(n), that of a limit as many times wider as its standard error.
    half = (high - low) / 2 * math.sqrt(1 + pairs * LIMIT**2 / (2 * (pairs - 1)))
    lower, upper = bias - LIMIT * sd, bias + LIMIT * sd
    return BlandAltman(
        bias,
        (float(low), float(high)),
        lower,
        (lower - half, lower + half),
        upper,
        (upper - half, upper + half),
        pairs,
    )


def consensus(masks_kji: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return the STAPLE consensus of masks (Warfield 2004), by SimpleITK, in a box around their union.

    A reader must not be compared with a consensus that he belongs to: leave his mask out.

    Args:
        masks_kji: two or more of one shape (k, j, i).

    Raises:
        InputError: there are fewer than two.
    """
    if len(masks_kji) < 2:
        raise InputError("a consensus needs two masks; leave one reader out of three or more")
    union = np.logical_or.reduce(masks_kji)
    result = np.zeros_like(union)
    if not union.any():
        return result
    occupied = np.argwhere(union)
    low = np.maximum(occupied.min(0) - STAPLE_MARGIN, 0)
    box = tuple(slice(a, b) for a, b in zip(low, occupied.max(0) + 1 + STAPLE_MARGIN, strict=True))
    images = [sitk.GetImageFromArray(mask[box].astype(np.uint8)) for mask in masks_kji]
    result[box] = sitk.GetArrayFromImage(sitk.STAPLE(images, 1.0)) > 0.5
    return result
