"""The whole analysis of a study, from its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.analysis.agreement import Agreement, BlandAltman, agreement, bland_altman
from SegAnyPETLib.study.analysis.model import Effect, fit
from SegAnyPETLib.study.analysis.non_inferiority import Comparison
from SegAnyPETLib.study.analysis.other_effects import other_effects
from SegAnyPETLib.study.analysis.quality import QualityRow, comparisons, quality_rows
from SegAnyPETLib.study.analysis.rows import TimeRow, time_rows
from SegAnyPETLib.study.analysis.savings import Savings, savings
from SegAnyPETLib.study.log.check import CheckedLog, check_logs
from SegAnyPETLib.study.plan.folder import Study
from SegAnyPETLib.study.plan.plan import Quality
from SegAnyPETLib.study.times.collected import Collected, collect
from SegAnyPETLib.study.times.reading_time import SENSITIVITY_S

#: Quantities whose agreement between readers is told; of their logarithms.
AGREED: tuple[Quality, ...] = ("volume_ml", "tlg_g")


@dataclass(frozen=True)
class ReaderAgreement:
    """Agreement between the readers in one arm.

    Attributes:
        arm: code.
        quantity: what they agree on.
        agreement: of its logarithm.
    """

    arm: str
    quantity: Quality
    agreement: Agreement


@dataclass(frozen=True)
class ArmAgreement:
    """Agreement of a reader's own results in two arms, of the logarithm of the volume.

    Attributes:
        reader: code.
        arm: code of the arm that is compared with the reference arm.
        agreement: bias above 0: larger in that arm.
        pairs: logarithms of the volumes in ml, (reference arm, arm).
    """

    reader: str
    arm: str
    agreement: BlandAltman
    pairs: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Results:
    """All that a report tells.

    Attributes:
        study: what was planned.
        logs: as they were found.
        collected: planned readings against those that were done.
        rows: the times that are analysed.
        savings: the main analysis; waiting for the model is work.
        without_waiting: effects of the arms overall, waiting for the model left out.
        sensitivity: effects of the arms overall by threshold of idle time in s.
        effects: period, order, learning.
        quality: of each mask.
        comparisons: non-inferiority.
        between: agreement between readers.
        within: agreement of a reader's arms.
        notes: what must be known to read the tables.
    """

    study: Study
    logs: tuple[CheckedLog, ...]
    collected: Collected
    rows: tuple[TimeRow, ...]
    savings: Savings
    without_waiting: tuple[Effect, ...]
    sensitivity: dict[float, tuple[Effect, ...]]
    effects: tuple[Effect, ...]
    quality: tuple[QualityRow, ...]
    comparisons: tuple[Comparison, ...]
    between: tuple[ReaderAgreement, ...]
    within: tuple[ArmAgreement, ...]
    notes: tuple[str, ...] = field(default=())


def analyse(study: Study) -> Results:
    """Analyse a study; equal folders give equal results.

    Raises:
        InputError: too few readings have a time, or a scan cannot be read.
        SegAnyPETError: the model of the times does not converge.
    """
    plan = study.plan
    logs = check_logs(study.logs)
    collected = collect(study.readings, logs, study.plan_sha256, plan.idle_s)
    rows = time_rows(collected)
    main = savings(rows, plan.reference.name, plan.multiplicity, plan.seed)
    quality, without_mask = quality_rows(study, collected)
    compared, not_compared = comparisons(study, quality)
    notes = [note for log in logs for note in log.notes]
    notes += [*collected.notes, *without_mask, *not_compared]
    return Results(
        study,
        logs,
        collected,
        rows,
        main,
        _overall(study, time_rows(collected, with_waiting=False)),
        {idle_s: _overall(study, _rows_at(study, logs, idle_s)) for idle_s in SENSITIVITY_S},
        other_effects(rows, plan.reference.name),
        quality,
        compared,
        tuple(_between(study, quality)),
        tuple(_within(study, quality)),
        tuple(notes),
    )


def _overall(study: Study, rows: Sequence[TimeRow]) -> tuple[Effect, ...]:
    effects = fit(rows, study.plan.reference.name).effects
    return tuple(effect for name, effect in effects.items() if name.startswith("arm:"))


def _rows_at(study: Study, logs: Sequence[CheckedLog], idle_s: float) -> tuple[TimeRow, ...]:
    return time_rows(collect(study.readings, logs, study.plan_sha256, idle_s))


def _between(study: Study, rows: Sequence[QualityRow]) -> list[ReaderAgreement]:
    found = []
    for arm in study.plan.arms:
        for quantity in AGREED:
            table = {(r.case, r.reader): r.values[quantity] for r in rows if r.arm == arm.name}
            cases = sorted({case for case, _ in table})
            values = [[table.get((case, reader), np.nan) for reader in study.plan.readers] for case in cases]
            try:
                found.append(ReaderAgreement(arm.name, quantity, agreement(values, log=True)))
            except (InputError, ValueError):  # one reader, or too few cases: the table has no such row
                continue
    return found


def _within(study: Study, rows: Sequence[QualityRow]) -> list[ArmAgreement]:
    volumes = {(r.reader, r.case, r.arm): r.values["volume_ml"] for r in rows if r.values["volume_ml"] > 0}
    found = []
    for reader in study.plan.readers:
        for arm in study.plan.tested:
            pairs = [
                (float(np.log(volumes[reader, case, study.plan.reference.name])), float(np.log(volume)))
                for (who, case, which), volume in sorted(volumes.items())
                if (who, which) == (reader, arm.name) and (reader, case, study.plan.reference.name) in volumes
            ]
            try:
                compared = bland_altman([first for first, _ in pairs], [second for _, second in pairs])
            except InputError:
                continue
            found.append(ArmAgreement(reader, arm.name, compared, tuple(pairs)))
    return found
