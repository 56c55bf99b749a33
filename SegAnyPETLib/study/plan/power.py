"""Power by simulation of the planned design."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.plan.plan import Expected, Manifest, Plan, StudyCase
from SegAnyPETLib.study.plan.schedule import Reading, schedule

#: Where to look for the number of cases that is enough, in steps that grow.
GROWTH = 1.25
MAX_CASES = 2000


@dataclass(frozen=True)
class Power:
    """How often simulated studies show what is expected.

    Attributes:
        readers: number of readers.
        cases: number of analysed cases.
        saving: the true saving.
        share: of the simulated studies, the share whose two-sided 95 % interval excludes no saving.
        simulations: their number.
    """

    readers: int
    cases: int
    saving: float
    share: float
    simulations: int

    def __str__(self) -> str:
        """Say it as a sentence of a protocol."""
        return (
            f"with {self.readers} reader{'s' if self.readers > 1 else ''} and {self.cases} cases a saving of "
            f"{100 * self.saving:.0f} % is shown with {100 * self.share:.0f} % power"
        )


def power_of(plan: Plan, manifest: Manifest, saving: float | None = None) -> Power:
    """Simulate the planned study many times and count how often it shows a saving.

    Logarithms of times are normal: a case has its own level, and every reading deviates from it. The analysis is least
    squares on arm, reader, period and order after both are decorrelated with the assumed variances, so that it equals
    the mixed model that knows them. With several arms the smallest power of the comparisons with the reference is
    returned, each tested at the level of Bonferroni unless the plan corrects nothing.

    Args:
        plan: what is planned.
        manifest: its cases.
        saving: true saving; that of the plan if None.
    """
    expected, saving = plan.expected, plan.expected.saving if saving is None else saving
    readings = [reading for reading in schedule(plan, manifest) if not reading.training]
    design = _decorrelated(_design(plan, readings), _covariance(readings, expected))
    rng = np.random.default_rng([plan.seed, 1])
    tested = len(plan.tested)
    level = 0.05 if plan.multiplicity == "none" else 0.05 / tested
    effect = np.zeros(design.shape[1])
    effect[1 : 1 + tested] = math.log1p(-saving)
    shown = np.zeros(tested)
    for _ in range(expected.simulations):
        fitted = OLS(design @ effect + rng.normal(size=len(design)), design).fit()
        shown += (fitted.pvalues[1 : 1 + tested] < level) & (fitted.params[1 : 1 + tested] < 0)
    share = float(shown.min()) / expected.simulations
    return Power(len(plan.readers), len(manifest.analysed), saving, share, expected.simulations)


def check_power(plan: Plan, manifest: Manifest) -> Power:
    """Return the power of a plan.

    Raises:
        InputError: it is less than the plan asks for, with the number of cases that would do.
    """
    found = power_of(plan, manifest)
    if found.share < plan.expected.power:
        enough = cases_for(plan, manifest)
        more = f"about {enough} cases would do" if enough else f"more than {MAX_CASES} cases would be needed"
        raise InputError(
            f"{found}, less than the {100 * plan.expected.power:.0f} % that the plan asks for; {more}, or more readers"
        )
    return found


def cases_for(plan: Plan, manifest: Manifest) -> int | None:
    """Return a number of cases, to a quarter, with which the plan has the power that it asks for; None if too many."""
    quick = replace(plan, expected=replace(plan.expected, simulations=min(plan.expected.simulations, 400)))
    count = len(manifest.analysed)
    while count < MAX_CASES:
        count = math.ceil(count * GROWTH)
        cases = Manifest(tuple(StudyCase(f"c{n}", "-") for n in range(count)))
        if len(cases.cases) * len(plan.readers) > MAX_CASES:
            return None
        if power_of(quick, cases).share >= plan.expected.power:
            return count
    return None


def log_sd(variation: float) -> float:
    """Return the standard deviation of the logarithm of a log-normal quantity with this coefficient of variation."""
    return math.sqrt(math.log1p(variation**2))


def _design(plan: Plan, readings: Sequence[Reading]) -> NDArray[np.float64]:
    """Return columns: one, tested arms, then readers, periods and orders without the first of each."""
    columns = [np.ones(len(readings))]
    columns += [np.array([float(r.arm == arm.name) for r in readings]) for arm in plan.tested]
    periods = [f"{r.period}" for r in readings]
    factors = [[r.reader for r in readings], periods]
    if plan.design.kind != "parallel":  # one period: the order is the arm
        factors.append([r.order for r in readings])
    for values in factors:
        columns += [np.array([float(v == level) for v in values]) for level in sorted(set(values))[1:]]
    return np.column_stack(columns)


def _covariance(readings: Sequence[Reading], expected: Expected) -> NDArray[np.float64]:
    cases = np.array([reading.case for reading in readings])
    same = (cases[:, None] == cases[None, :]).astype(np.float64)
    return log_sd(expected.cv_between_cases) ** 2 * same + log_sd(expected.cv_within) ** 2 * np.eye(len(cases))


def _decorrelated(design: NDArray[np.float64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.solve(np.linalg.cholesky(covariance), design)
