"""Studies whose truth is known."""

import math
from collections.abc import Mapping

import numpy as np

from SegAnyPETLib.study.analysis.rows import TimeRow
from SegAnyPETLib.study.plan.plan import Manifest, Plan
from SegAnyPETLib.study.plan.power import log_sd
from SegAnyPETLib.study.plan.schedule import schedule


def simulated(
    plan: Plan,
    manifest: Manifest,
    saving: Mapping[str, float],
    seed: int,
    second_period: float = 1.0,
    assisted_first: float = 1.0,
    per_doubling: float = 1.0,
    saving_sd: float = 0.0,
) -> tuple[TimeRow, ...]:
    """Times of a planned study.

    Args:
        plan: of the study.
        manifest: its cases.
        saving: true saving of each reader.
        seed: of the draw.
        second_period: factor on times of the second period.
        assisted_first: factor on times of cases that were read with the assisted arm first.
        per_doubling: factor on time with each doubling of the position.
        saving_sd: standard deviation between cases of the logarithm of the assisted arm's ratio.
    """
    rng = np.random.default_rng(seed)
    expected = plan.expected
    level = {case.id: rng.normal(math.log(900), log_sd(expected.cv_between_cases)) for case in manifest.cases}
    pace = {reader: rng.normal(0, 0.2) for reader in plan.readers}
    own = {case.id: rng.normal(0, saving_sd) if saving_sd else 0.0 for case in manifest.cases}
    rows = []
    for r in schedule(plan, manifest):
        if r.training:
            continue
        log_s = level[r.case] + pace[r.reader] + rng.normal(0, log_sd(expected.cv_within))
        log_s += math.log1p(-saving[r.reader]) + own[r.case] if r.arm == "assisted" else 0.0
        log_s += math.log(second_period) if r.period == 2 else 0.0
        log_s += math.log(assisted_first) if r.order.startswith("assisted") else 0.0
        log_s += math.log(per_doubling) * math.log2(r.position)
        rows.append(TimeRow(r.reader, r.case, r.arm, r.period, r.position, r.order, math.exp(log_s)))
    return tuple(rows)
