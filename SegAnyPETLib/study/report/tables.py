"""The tables of a report; each is also a CSV file."""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path

from SegAnyPETLib.reports.page import Table
from SegAnyPETLib.study.analyse import Results
from SegAnyPETLib.study.analysis.savings import Saving
from SegAnyPETLib.volume.atomic import replacing


def tables(results: Results) -> dict[str, Table]:
    """Return all tables by the name of their file."""
    return {
        "flow": flow_table(results),
        "savings": savings_table(results),
        "sensitivity": sensitivity_table(results),
        "time": time_table(results),
        "tools": tools_table(results),
        "effects": effects_table(results),
        "non_inferiority": non_inferiority_table(results),
        "agreement": agreement_table(results),
        "within_reader": within_table(results),
        "readings": readings_table(results),
        "targets": targets_table(results),
        "quality": quality_table(results),
        "left_out": left_table(results),
        "logs": logs_table(results),
    }


def write_tables(results: Results, folder: Path) -> None:
    """Write every table as CSV.

    Raises:
        SegAnyPETError: a file cannot be written.
    """
    for name, table in tables(results).items():
        path = folder / f"{name}.csv"
        with replacing(path, ".csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(table.columns)
            writer.writerows(table.rows)


def flow_table(results: Results) -> Table:
    """Count readings from the schedule to the analysis, per reader and arm."""
    rows = []
    for reader in results.study.plan.readers:
        for arm in results.study.plan.arms:
            of = (reader, arm.name)
            planned = sum((r.reader, r.arm) == of for r in results.study.readings if not r.training)
            timed = sum((t.planned.reader, t.planned.arm) == of for t in results.collected.timed)
            why = Counter(one.why for one in results.collected.left if (one.reader, one.arm) == of)
            reasons = "; ".join(f"{count}: {reason}" for reason, count in sorted(why.items())) or "-"
            rows.append((reader, arm.name, f"{planned}", f"{timed}", f"{sum(why.values())}", reasons))
    return Table(("reader", "arm", "planned", "analysed", "left out", "why"), tuple(rows))


def savings_table(results: Results) -> Table:
    """List savings overall and per reader."""
    found = (*results.savings.overall, *results.savings.readers)
    return Table(
        (
            "reader",
            "arm",
            "saved",
            "95 % CI",
            "ratio",
            "p",
            "p corrected",
            "paired cases",
            "saved, paired",
            "95 % CI, bootstrap",
            "Wilcoxon p",
        ),
        tuple(_saving_row(one) for one in found),
    )


def _saving_row(one: Saving) -> tuple[str, ...]:
    model = (
        one.reader or "all",
        one.arm,
        percent(one.share),
        percents(*one.interval),
        number(one.effect.ratio, 4),
        p_text(one.effect.p_value),
        p_text(one.p_adjusted),
    )
    if one.paired is None:
        return (*model, "0", "-", "-", "-")
    pair = one.paired
    return (
        *model,
        f"{pair.cases}",
        percent(1 - pair.ratio),
        percents(1 - pair.high, 1 - pair.low),
        p_text(pair.wilcoxon_p),
    )


def sensitivity_table(results: Results) -> Table:
    """List the saving overall by threshold of idle time, and without waiting for the model."""
    named = [
        (f"gaps cut to {idle_s:g} s" if math.isfinite(idle_s) else "no gap cut", effect)
        for idle_s, found in results.sensitivity.items()
        for effect in found
    ]
    named += [("waiting for the model left out", effect) for effect in results.without_waiting]
    rows = [
        (name, e.name.partition(":")[2], percent(1 - e.ratio), percents(1 - e.high, 1 - e.low)) for name, e in named
    ]
    return Table(("times", "arm", "saved", "95 % CI"), tuple(rows))


def time_table(results: Results) -> Table:
    """List medians of the parts of time per arm, in seconds for one reading."""
    rows = []
    for arm in results.study.plan.arms:
        of_arm = [one.time for one in results.collected.timed if one.planned.arm == arm.name]
        parts = [
            [t.working_s for t in of_arm],
            [t.waiting_s for t in of_arm],
            [t.idle_s for t in of_arm],
            [t.first_mask_s for t in of_arm],
            [t.editing_s for t in of_arm],
            [float(t.interactions) for t in of_arm],
        ]
        rows.append((arm.name, f"{len(of_arm)}", *(_median(values) for values in parts)))
    return Table(
        (
            "arm",
            "readings",
            "working",
            "of it waiting",
            "idle, cut off",
            "until first mask",
            "after it",
            "interactions",
        ),
        tuple(rows),
    )


def tools_table(results: Results) -> Table:
    """List the working seconds of each tool per arm."""
    spent: dict[tuple[str, str], float] = {}
    for one in results.collected.timed:
        for effect, seconds in one.time.by_effect.items():
            key = (one.planned.arm, effect or "no tool")
            spent[key] = spent.get(key, 0.0) + seconds
    whole = {arm: sum(s for (a, _), s in spent.items() if a == arm) for arm, _ in spent}
    return Table(
        ("arm", "tool", "seconds", "share"),
        tuple(
            (a, e, number(s, 1), percent(s / whole[a] if whole[a] else math.nan)) for (a, e), s in sorted(spent.items())
        ),
    )


def effects_table(results: Results) -> Table:
    """List period, order and learning."""
    return Table(
        ("effect", "factor on time", "95 % CI", "p"),
        tuple(
            (e.name, number(e.ratio, 3), f"{number(e.low, 3)} to {number(e.high, 3)}", p_text(e.p_value))
            for e in results.effects
        ),
    )


def non_inferiority_table(results: Results) -> Table:
    """List what became of quality."""
    return Table(
        (
            "quantity",
            "arm",
            "cases",
            "difference",
            "95 % CI",
            "margin",
            "p, not worse",
            "p, equivalent (TOST)",
            "shown",
        ),
        tuple(
            (
                c.quantity,
                c.arm,
                f"{c.cases}",
                f"{c.difference:+.4f}",
                f"{c.low:+.4f} to {c.high:+.4f}",
                f"{c.margin:g}",
                p_text(c.non_inferiority_p),
                p_text(c.equivalence_p),
                "yes" if c.shown else "no",
            )
            for c in results.comparisons
        ),
    )


def agreement_table(results: Results) -> Table:
    """List agreement between readers."""
    return Table(
        ("arm", "quantity", "ICC(2,1) of logarithms", "95 % CI", "mean CoV", "cases", "readers"),
        tuple(
            (
                one.arm,
                one.quantity,
                number(one.agreement.icc, 3),
                f"{number(one.agreement.low, 3)} to {number(one.agreement.high, 3)}",
                percent(one.agreement.cov),
                f"{one.agreement.cases}",
                f"{one.agreement.readers}",
            )
            for one in results.between
        ),
    )


def within_table(results: Results) -> Table:
    """List agreement of each reader's arms, as ratios of volumes."""
    return Table(
        ("reader", "arm", "pairs", "ratio of volumes", "95 % CI", "limits of agreement"),
        tuple(
            (
                one.reader,
                one.arm,
                f"{one.agreement.pairs}",
                number(math.exp(one.agreement.bias), 3),
                _exponents(one.agreement.bias_interval),
                _exponents((one.agreement.lower, one.agreement.upper)),
            )
            for one in results.within
        ),
    )


def readings_table(results: Results) -> Table:
    """List every analysed reading."""
    return Table(
        (
            "reader",
            "case",
            "arm",
            "period",
            "position",
            "order",
            "working_s",
            "acting_s",
            "waiting_s",
            "idle_s",
            "paused_s",
            "away_s",
            "doubtful_s",
            "first_mask_s",
            "interactions",
        ),
        tuple(
            (
                p.reader,
                p.case,
                p.arm,
                f"{p.period}",
                f"{p.position}",
                p.order,
                *(
                    number(value, 3)
                    for value in (
                        t.working_s,
                        t.acting_s,
                        t.waiting_s,
                        t.idle_s,
                        t.paused_s,
                        t.away_s,
                        t.doubtful_s,
                        t.first_mask_s,
                    )
                ),
                f"{t.interactions}",
            )
            for p, t in ((one.planned, one.time) for one in results.collected.timed)
        ),
    )


def targets_table(results: Results) -> Table:
    """List every target of every analysed reading."""
    return Table(
        ("reader", "case", "arm", "target", "working_s", "waiting_s", "interactions", "volume_ml"),
        tuple(
            (
                one.planned.reader,
                one.planned.case,
                one.planned.arm,
                target.target,
                number(target.working_s, 3),
                number(target.waiting_s, 3),
                f"{target.interactions}",
                number(target.volume_ml, 3),
            )
            for one in results.collected.timed
            for target in one.time.targets
        ),
    )


def quality_table(results: Results) -> Table:
    """List the quality of every mask."""
    names = list(results.quality[0].values) if results.quality else []
    return Table(
        ("reader", "case", "arm", *names),
        tuple((r.reader, r.case, r.arm, *(number(r.values[name], 4) for name in names)) for r in results.quality),
    )


def left_table(results: Results) -> Table:
    """List every planned reading that is not analysed."""
    return Table(
        ("reader", "case", "arm", "period", "why"),
        tuple((one.reader, one.case, one.arm, f"{one.period}", one.why) for one in results.collected.left),
    )


def logs_table(results: Results) -> Table:
    """List the logs and their checksums."""
    return Table(
        ("log", "events", "sound", "SHA-256 of the last event"),
        tuple((log.path.name, f"{len(log.events)}", "yes" if log.sound else "no", log.sha256) for log in results.logs),
    )


def number(value: float, digits: int) -> str:
    """Return a number as text, a dash if it is undefined."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def percent(value: float) -> str:
    """Return a share as text, a dash if it is undefined."""
    return f"{100 * value:.2f} %" if math.isfinite(value) else "-"


def percents(low: float, high: float) -> str:
    """Return an interval of shares as text, a dash if it is undefined."""
    return f"{100 * low:.2f} to {100 * high:.2f} %" if math.isfinite(low) else "-"


def p_text(value: float) -> str:
    """Return a p-value as text."""
    if not math.isfinite(value):
        return "-"
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def _exponents(interval: tuple[float, float]) -> str:
    return f"{number(math.exp(interval[0]), 3)} to {number(math.exp(interval[1]), 3)}"


def _median(values: list[float]) -> str:
    defined = sorted(value for value in values if math.isfinite(value))
    if not defined:
        return "-"
    middle = len(defined) // 2
    return number(defined[middle] if len(defined) % 2 else (defined[middle - 1] + defined[middle]) / 2, 1)
