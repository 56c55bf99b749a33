"""An evaluation as JSON, and as Markdown tables to be read in a terminal and pasted into a model card."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from SegAnyPETLib.evaluation.autopet4.clicks import autopet4_area
from SegAnyPETLib.evaluation.results import Evaluation
from SegAnyPETLib.evaluation.statistics.comparison import Comparison, best_methods, comparisons
from SegAnyPETLib.evaluation.statistics.curves import WORSE_BY
from SegAnyPETLib.evaluation.statistics.intervals import MIN_CASES, Statistics
from SegAnyPETLib.evaluation.statistics.strata import SMALL_ML
from SegAnyPETLib.evaluation.statistics.summary import GroupSummary, Summary, summarise
from SegAnyPETLib.notice import NOTICE

#: Clicks after which the tables show the curves.
SHOWN_CLICKS = (1, 3, 5, 10)

COLUMNS = ("targets", "after", "Dice", "95 % CI", "median", "NSD 2 mm", "NSD 4 mm", "HD95 mm", "FPV ml", "FNV ml")

HD95_NOTE = (
    "HD95: the larger of the two directed 95th percentiles of the distances between the surfaces, in mm, over targets "
    "whose mask is not empty."
)
INTERVAL_NOTE = (
    "The 95 % interval is a bootstrap over cases, each with all its targets (expanded percentiles, Hesterberg 2015)."
)
WILCOXON_NOTE = (
    "p: Wilcoxon's signed-rank test on the mean difference of each case, two-sided, not corrected for the number of "
    "comparisons."
)
WITHOUT_LESION_NOTE = "nothing is clicked there, so their false positive volume is 0 ml and their Dice undefined"


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as JSON can hold it; what is undefined is None.

    Returns:
        ::

            {"model": ..., "clicks": N, "steps": [1, ..., N], "robot": ..., "seed": ...,
             "targets": [{"case": id, "label": v, "volume_ml": x, "components": n, "touching": false, "contrast": x,
                          "dice": [after each step], "nsd_2mm": [...], "nsd_4mm": [...], "hd95_mm": [...],
                          "fpv_ml": [...], "fnv_ml": [...], "seconds": [...],
                          "relative_error": {"suv_max": x, "suv_mean": x, "suv_peak": x, "mtv": x, "tlg": x},
                          "clicks_used": n, "prompts": [{"ras": [r, a, s], "positive": true}, ...]}],
             "summary": {"cases": ..., "all": ..., "small": ..., "large": ...,
                         "strata": {"volume": {"< 1 ml": ..., ...}, "neighbours": {...}, "contrast": {...}}},
             "failed": [{"case": id, "error": ...}], "without_lesion": [id, ...],
             "notes": [{"case": id, "note": ...}], "assumed": [{"case": id, "assumed": ...}],
             "baselines": {method: {"targets": [...], "summary": {...}}}, "comparisons": [{"stratum": ..., ...}]}

        ``baselines`` and ``comparisons`` are there if threshold methods were measured, ``autopet4`` with the mean areas
        of that protocol if it was followed. See `metrics.Scores` for the metrics, `summary.GroupSummary` for the
        summary and `comparison.Comparison`.
    """
    result: dict[str, Any] = {
        "notice": NOTICE,
        "model": evaluation.model,
        "clicks": evaluation.steps[-1],
        "steps": list(evaluation.steps),
        "robot": evaluation.robot,
        "seed": evaluation.seed,
        "targets": [target.to_json() for target in evaluation.targets],
        "summary": summary_of(evaluation).to_json(),
        "failed": [{"case": case.case, "error": case.error} for case in evaluation.failed],
        "without_lesion": list(evaluation.without_lesion),
        "notes": [{"case": case.case, "note": note.message} for case in evaluation.cases for note in case.notes],
        "assumed": [{"case": case.case, "assumed": case.assumed} for case in evaluation.cases if case.assumed],
        "hd95": HD95_NOTE,
    }
    baselines = {
        name: {"targets": [row.to_json() for row in rows], "summary": summarise(rows, seed=evaluation.seed).to_json()}
        for name, rows in evaluation.baselines()
    }
    if baselines:
        result["baselines"] = baselines
        result["comparisons"] = [one.to_json() for one in comparisons(evaluation)]
    if evaluation.robot == "autopet4":
        result["autopet4"] = {name: None if math.isnan(v) else v for name, v in autopet4_areas(evaluation).items()}
    return result


def summary_of(evaluation: Evaluation) -> Summary:
    """Return the statistics of the model's results."""
    return summarise(evaluation.targets, evaluation.without_lesion, evaluation.seed)


def report(evaluation: Evaluation) -> str:
    """Return tables of means: per case first, per click, then strata beside the best threshold method.

    Returns:
        Markdown with a title, tables and notes.
    """
    summary = summary_of(evaluation)
    lines = [title(evaluation), "", row(COLUMNS), row(["---"] * len(COLUMNS))]
    shown = shown_steps(evaluation)
    for name, group in _groups(summary, evaluation):
        if group is not None:
            lines += [_curve_row(f"{name} ({group.count})", evaluation.steps.index(n), n, group) for n in shown]
    for name, rows in evaluation.baselines():
        of_method = summarise(rows, seed=evaluation.seed)
        for group_name, group in (("all targets", of_method.all), (f"below {SMALL_ML:g} ml", of_method.small)):
            if group is not None:
                lines.append(_curve_row(f"{name}, {group_name} ({group.count})", 0, 1, group))
    if evaluation.robot != "autopet4":
        lines += ["", *strata_table(evaluation, summary)]
    return "\n".join([*lines, "", *notes(evaluation, summary), NOTICE]) + "\n"


def title(evaluation: Evaluation) -> str:
    """Return what was evaluated, in one line."""
    cases = len(evaluation.cases) - len(evaluation.failed)
    return (
        f"{evaluation.model}, {evaluation.robot} robot user, seed {evaluation.seed}, "
        f"{counted(len(evaluation.targets), 'target')} in {counted(cases, 'case')}"
    )


def shown_steps(evaluation: Evaluation) -> list[int]:
    """Return the numbers of clicks of `SHOWN_CLICKS` that were measured, 0 if it was, and the last one."""
    last = evaluation.steps[-1]
    return [step for step in evaluation.steps if step in (0, *SHOWN_CLICKS) and step < last] + [last]


def strata_table(evaluation: Evaluation, summary: Summary) -> list[str]:
    """Return the lines of a table of Dice per stratum, beside the best threshold method if there are any."""
    shown = shown_steps(evaluation)
    best = {one.stratum.name: one for one in best_methods(comparisons(evaluation))}
    columns = ["stratum", *(f"Dice after {n}" for n in shown), "95 % CI", "worse clicks"]
    columns += ["best threshold", "difference", "95 % CI", "p"] if best else []
    lines = [row(columns), row(["---"] * len(columns))]
    for stratum, group in summary.strata:
        if group is not None:
            dice = [group.curves["dice"][evaluation.steps.index(n)] for n in shown]
            cells = [*(number(d.mean, 3) for d in dice), interval(dice[-1]), percent(group.worse_share.mean)]
            cells += _compared(best[stratum.name]) if best else []
            lines.append(row([f"{stratum.name} ({group.count})", *cells]))
    return lines


def _compared(best: Comparison) -> list[str]:
    difference = f"{best.difference.mean:+.3f}"
    return [f"{best.method} {best.method_dice:.3f}", difference, interval(best.difference), number(best.p_value, 4)]


def notes(evaluation: Evaluation, summary: Summary) -> list[str]:
    """Return what must be known to read the tables."""
    found = [] if summary.all is None else _quality_notes(evaluation, summary.all)
    found.append(HD95_NOTE)
    cases = len({target.target.case for target in evaluation.targets})
    if cases < MIN_CASES:
        few = f"{counted(cases, 'case')} with a target {'is' if cases == 1 else 'are'} too few"
        found.append(f"No 95 % interval: {few}, {MIN_CASES} are needed.")
    else:
        found.append(INTERVAL_NOTE)
    if any(case.baselines for case in evaluation.cases):
        found.append(f"Difference: Dice after one click minus that of the best threshold method. {WILCOXON_NOTE}")
    in_parts = sum(target.target.components > 1 for target in evaluation.targets)
    if in_parts and evaluation.robot != "autopet4":
        have = "has" if in_parts == 1 else "have"
        found.append(
            f"{counted(in_parts, 'target')} {have} several components; --split-components makes each one a target."
        )
    if evaluation.without_lesion:
        found.append(f"Cases without a lesion: {', '.join(evaluation.without_lesion)}; {WITHOUT_LESION_NOTE}.")
    failed = [f"Not evaluated: {case.error}" for case in evaluation.failed]
    doubts = [f"Case {case.case}: {note.message}." for case in evaluation.cases for note in case.notes]
    return [*found, *failed, *doubts]


def _quality_notes(evaluation: Evaluation, group: GroupSummary) -> list[str]:
    if evaluation.robot == "autopet4":
        areas = ", ".join(f"{name} {number(area, 2)}" for name, area in autopet4_areas(evaluation).items())
        first = f"Areas over 0 to 10 clicks by the rules of autoPET IV (trapezoid, not divided): {areas}."
    else:
        first = f"Area under the Dice curve, from the first click and divided by its width: {area_of(group)}."
    worse = (
        f"A click lowered the Dice by more than {WORSE_BY:g} in {percent(group.worse_share.mean)} of clicks after the "
        f"first, by {number(group.worst_drop, 3)} at most; "
        f"largest fall of a target {number(group.largest_drop.mean, 3)} on average."
    )
    errors = group.absolute_relative_error
    medians = ", ".join(f"{name} {percent(error.median)}" for name, error in errors.items())
    return [first, worse, f"Median absolute error after the last click: {medians}."]


def area_of(group: GroupSummary) -> str:
    """Return the mean area under the Dice curve."""
    return number(group.areas["dice"].mean, 3)


def autopet4_areas(evaluation: Evaluation) -> dict[str, float]:
    """Return the mean over scans of the area under each curve; NaN if it is undefined for all of them."""
    areas: dict[str, float] = {}
    for name in ("dice", "fpv_ml", "fnv_ml"):
        values = np.array([autopet4_area(target.curve(name)) for target in evaluation.targets])
        defined = values[np.isfinite(values)]
        areas[f"{name}_area"] = float(defined.mean()) if defined.size else math.nan
    return areas


def _groups(summary: Summary, evaluation: Evaluation) -> list[tuple[str, GroupSummary | None]]:
    if evaluation.robot == "autopet4":
        return [("per scan", summary.per_case)]
    return [
        ("per case", summary.per_case),
        ("all targets", summary.all),
        (f"below {SMALL_ML:g} ml", summary.small),
        (f"{SMALL_ML:g} ml and more", summary.large),
    ]


def _curve_row(name: str, column: int, click: int, group: GroupSummary) -> str:
    dice = group.curves["dice"][column]
    others = [number(group.curves[metric][column].mean, 3) for metric in ("nsd_2mm", "nsd_4mm")]
    others += [number(group.curves[metric][column].mean, 1) for metric in ("hd95_mm", "fpv_ml", "fnv_ml")]
    return row([name, f"{click}", number(dice.mean, 3), interval(dice), number(dice.median, 3), *others])


def row(cells: Sequence[str]) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def interval(statistics: Statistics) -> str:
    """Return an interval as text."""
    if not math.isfinite(statistics.low):
        return "-"
    return f"{number(statistics.low, 3)} to {number(statistics.high, 3)}"


def number(value: float, digits: int) -> str:
    """Return a number as text, a dash if it is undefined."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def percent(value: float) -> str:
    """Return a share as text, a dash if it is undefined."""
    return f"{100 * value:.1f} %" if math.isfinite(value) else "-"


def counted(count: int, noun: str) -> str:
    """Return a number of things."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
