"""The mixed model of log times."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.study.analysis.rows import TimeRow

#: One after the other, until one converges.
OPTIMISERS = ("bfgs", "lbfgs", "powell")


@dataclass(frozen=True)
class Effect:
    """A factor on time: above 1 it takes longer.

    Attributes:
        name: what changes.
        ratio: of geometric means.
        low: lower end of the 95 % interval.
        high: its upper end.
        p_value: two-sided.
        df: degrees of freedom of the t distribution behind interval and p-value.
    """

    name: str
    ratio: float
    low: float
    high: float
    p_value: float
    df: float


@dataclass(frozen=True)
class Fitted:
    """A fitted model.

    Attributes:
        effects: by column.
        logs: estimates on the scale of logarithms, by column.
        errors: their standard errors.
        case_sd: standard deviation of the cases' levels.
        residual_sd: standard deviation of a reading.
        readings: number of rows.
        cases: number of cases.
        formula: the model in words of R's lme4.
    """

    effects: dict[str, Effect]
    logs: dict[str, float]
    errors: dict[str, float]
    case_sd: float
    residual_sd: float
    readings: int
    cases: int
    formula: str


def fit(rows: Sequence[TimeRow], reference: str, per_reader: bool = False, learning: bool = False) -> Fitted:
    """Fit log time on arm, reader, period and order with the case as random effect, by REML.

    Degrees of freedom are those of Pinheiro & Bates (Mixed-effects models in S and S-PLUS, 2000, section 2.4.2): of
    what varies within cases, readings less cases less the effects within cases; so a small study is not judged by the
    normal distribution.

    Args:
        rows: the readings.
        reference: the arm that the others are compared with.
        per_reader: whether each reader has an effect of the arm.
        learning: whether the logarithm of the position within the period is added, to base 2.

    Returns:
        Effects named by what they are of: ``arm:A`` or ``arm:A reader:R``, ``period:2``, ``order:X``, ``learning``.

    Raises:
        InputError: there are not two arms with two cases.
        SegAnyPETError: the fit does not converge.
    """
    cases = sorted({row.case for row in rows})
    if len({row.arm for row in rows}) < 2 or len(cases) < 2:
        raise InputError("two arms and two cases with a time are needed for a comparison; finish more readings")
    columns = design(rows, reference, per_reader, learning)
    matrix = np.column_stack(list(columns.values()))
    groups = np.array([cases.index(row.case) for row in rows])
    logs = np.array([row.log_seconds for row in rows])
    result = _converged(logs, matrix, groups)
    freedom = _degrees_of_freedom(matrix, groups)
    names = list(columns)
    estimates, errors = np.asarray(result.fe_params), np.asarray(result.bse_fe)
    return Fitted(
        {name: _effect(name, e, s, f) for name, e, s, f in zip(names, estimates, errors, freedom, strict=True)},
        dict(zip(names, map(float, estimates), strict=True)),
        dict(zip(names, map(float, errors), strict=True)),
        math.sqrt(float(np.asarray(result.cov_re)[0, 0])),
        math.sqrt(float(result.scale)),
        len(rows),
        len(cases),
        _formula(columns, per_reader),
    )


def design(
    rows: Sequence[TimeRow], reference: str, per_reader: bool = False, learning: bool = False
) -> dict[str, NDArray[np.float64]]:
    """Return the columns of the fixed effects that can be told apart, by name.

    A factor with one level, as the reader of a study with one, has no column; neither has one that follows from those
    before it.
    """
    columns = {"level": np.ones(len(rows))}
    readers = sorted({row.reader for row in rows})
    for arm in sorted({row.arm for row in rows} - {reference}):
        if per_reader:
            for reader in readers:
                columns[f"arm:{arm} reader:{reader}"] = _flags([(r.arm, r.reader) == (arm, reader) for r in rows])
        else:
            columns[f"arm:{arm}"] = _flags([row.arm == arm for row in rows])
    columns |= _factor("reader", [row.reader for row in rows])
    columns |= _factor("period", [f"{row.period}" for row in rows])
    if learning:
        columns["learning"] = np.log2([float(row.position) for row in rows])
    columns |= _factor("order", [row.order for row in rows])
    kept: dict[str, NDArray[np.float64]] = {}
    for name, column in columns.items():
        if np.linalg.matrix_rank(np.column_stack([*kept.values(), column])) > len(kept):
            kept[name] = column
    return kept


def _factor(name: str, values: list[str]) -> dict[str, NDArray[np.float64]]:
    return {f"{name}:{level}": _flags([value == level for value in values]) for level in sorted(set(values))[1:]}


def _flags(values: list[bool]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def _converged(logs: NDArray, matrix: NDArray, groups: NDArray) -> Any:
    for optimiser in OPTIMISERS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it is told by `converged`
            warnings.simplefilter("ignore", UserWarning)  # cases without a variance of their own are allowed
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                result = MixedLM(logs, matrix, groups).fit(reml=True, method=optimiser)
            except np.linalg.LinAlgError:
                continue
        if result.converged and np.isfinite(np.asarray(result.bse_fe)).all():
            return result
    raise SegAnyPETError("the mixed model does not converge; look at the times for a reading that cannot be right")


def _degrees_of_freedom(matrix: NDArray, groups: NDArray) -> list[float]:
    """Return the degrees of freedom of each column."""
    of_case = (groups[:, None] == np.unique(groups)[None, :]).astype(np.float64)
    whole = int(np.linalg.matrix_rank(np.column_stack([of_case, matrix])))
    within = max(1, len(groups) - whole)
    between = max(1, of_case.shape[1] - (matrix.shape[1] - (whole - of_case.shape[1])))
    varies = [bool(np.ptp(column - (of_case @ (of_case.T @ column / of_case.sum(0)))) > 1e-9) for column in matrix.T]
    return [float(within if inside else between) for inside in varies]


def _effect(name: str, estimate: float, error: float, freedom: float) -> Effect:
    half = float(stats.t.ppf(0.975, freedom)) * error
    p_value = 2 * float(stats.t.sf(abs(estimate) / error, freedom))
    return Effect(name, math.exp(estimate), math.exp(estimate - half), math.exp(estimate + half), p_value, freedom)


def _formula(columns: dict[str, NDArray], per_reader: bool) -> str:
    factors = dict.fromkeys(name.partition(":")[0] for name in columns if name != "level")
    terms = ["arm:reader" if name == "arm" and per_reader else name for name in factors]
    return f"log(seconds) ~ {' + '.join(terms)} + (1 | case)"
