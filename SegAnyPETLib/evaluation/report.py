"""An evaluation as JSON, and as a Markdown table to be read in a terminal and pasted into a model card."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from SegAnyPETLib.evaluation.autopet4 import autopet4_area
from SegAnyPETLib.evaluation.curves import MIN_CASES, SMALL_ML, WORSE_BY, GroupSummary, Summary, summarise
from SegAnyPETLib.evaluation.results import Evaluation

#: Clicks after which the table shows the curves.
SHOWN_CLICKS = (1, 3, 5, 10)

COLUMNS = ("targets", "after", "Dice", "95 % CI", "median", "NSD 2 mm", "NSD 4 mm", "HD95 mm", "FPV ml", "FNV ml")

HD95_NOTE = (
    "HD95: the larger of the two directed 95th percentiles of the distances between the surfaces, in mm, over targets "
    "whose mask is not empty."
)


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as JSON can hold it; what is undefined is None.

    Returns:
        ::

            {"model": ..., "clicks": N, "steps": [1, ..., N], "robot": ..., "seed": ...,
             "targets": [{"case": id, "label": v, "volume_ml": x, "dice": [after each step], "nsd_2mm": [...],
                          "nsd_4mm": [...], "hd95_mm": [...], "fpv_ml": [...], "fnv_ml": [...], "seconds": [...],
                          "relative_error": {"suv_max": x, "suv_mean": x, "suv_peak": x, "mtv": x, "tlg": x},
                          "components": n, "clicks_used": n, "prompts": [{"ras": [r, a, s], "positive": true}, ...]}],
             "summary": {"cases": ..., "all": ..., "small": ..., "large": ...},
             "failed": [{"case": id, "error": ...}], "without_lesion": [id, ...],
             "baselines": {method: {"targets": [...], "summary": {...}}}}

        ``baselines`` is there if threshold methods were measured, ``autopet4`` with the mean areas of that protocol if
        it was followed. See `metrics.Scores` for the metrics and `curves.GroupSummary` for the summary.
    """
    result: dict[str, Any] = {
        "model": evaluation.model,
        "clicks": evaluation.steps[-1],
        "steps": list(evaluation.steps),
        "robot": evaluation.robot,
        "seed": evaluation.seed,
        "targets": [target.to_json() for target in evaluation.targets],
        "summary": summarise(evaluation.targets, evaluation.seed).to_json(),
        "failed": [{"case": case.case, "error": case.error} for case in evaluation.failed],
        "without_lesion": list(evaluation.without_lesion),
        "hd95": HD95_NOTE,
    }
    baselines = {
        name: {"targets": [row.to_json() for row in rows], "summary": summarise(rows, evaluation.seed).to_json()}
        for name, rows in evaluation.baselines()
    }
    if baselines:
        result["baselines"] = baselines
    if evaluation.robot == "autopet4":
        result["autopet4"] = _autopet4_areas(evaluation)
    return result


def report(evaluation: Evaluation) -> str:
    """Return a table of means: per case first, per click, small lesions apart, the baselines below.

    Returns:
        Markdown with a title, one table and notes.
    """
    summary = summarise(evaluation.targets, evaluation.seed)
    cases = len(evaluation.cases) - len(evaluation.failed)
    lines = [
        f"{evaluation.model}, {evaluation.robot} robot user, seed {evaluation.seed}, "
        f"{len(evaluation.targets)} targets in {cases} cases",
        "",
        _row(COLUMNS),
        _row(["---"] * len(COLUMNS)),
    ]
    last = evaluation.steps[-1]
    shown = [step for step in evaluation.steps if step in (0, *SHOWN_CLICKS) and step < last] + [last]
    for title, group in _groups(summary):
        if group is not None:
            lines += [_curve_row(f"{title} ({group.count})", evaluation.steps.index(n), n, group) for n in shown]
    for name, rows in evaluation.baselines():
        of_method = summarise(rows, evaluation.seed)
        for title, group in (("all targets", of_method.all), (f"below {SMALL_ML:g} ml", of_method.small)):
            if group is not None:
                lines.append(_curve_row(f"{name}, {title} ({group.count})", 0, 1, group))
    return "\n".join([*lines, "", *_notes(evaluation, summary.all)]) + "\n"


def _groups(summary: Summary) -> list[tuple[str, GroupSummary | None]]:
    return [
        ("per case", summary.per_case),
        ("all targets", summary.all),
        (f"below {SMALL_ML:g} ml", summary.small),
        (f"{SMALL_ML:g} ml and more", summary.large),
    ]


def _curve_row(title: str, column: int, click: int, group: GroupSummary) -> str:
    dice = group.curves["dice"][column]
    others = [_shown(group.curves[name][column].mean, 3) for name in ("nsd_2mm", "nsd_4mm")]
    others += [_shown(group.curves[name][column].mean, 1) for name in ("hd95_mm", "fpv_ml", "fnv_ml")]
    interval = f"{_shown(dice.low, 3)} to {_shown(dice.high, 3)}" if math.isfinite(dice.low) else "-"
    return _row([title, f"{click}", _shown(dice.mean, 3), interval, _shown(dice.median, 3), *others])


def _notes(evaluation: Evaluation, group: GroupSummary | None) -> list[str]:
    notes = [] if group is None else _quality_notes(evaluation, group)
    notes.append(HD95_NOTE)
    cases = {target.case for target in evaluation.targets}
    if len(cases) < MIN_CASES:
        notes.append(f"No 95 % interval: {len(cases)} cases with a target are too few, {MIN_CASES} are needed.")
    else:
        notes.append("The 95 % interval is a bootstrap over cases, each with all its targets.")
    in_parts = sum(target.components > 1 for target in evaluation.targets)
    if in_parts and evaluation.robot != "autopet4":
        notes.append(f"{in_parts} targets have several components; --split-components makes each one a target.")
    if evaluation.without_lesion:
        notes.append(f"Cases without a lesion, which have no target: {', '.join(evaluation.without_lesion)}.")
    if evaluation.failed:
        notes += [f"Not evaluated: {case.error}" for case in evaluation.failed]
    return notes


def _quality_notes(evaluation: Evaluation, group: GroupSummary) -> list[str]:
    if evaluation.robot == "autopet4":
        areas = _autopet4_areas(evaluation)
        shown = ", ".join(f"{name} {_shown(math.nan if v is None else v, 2)}" for name, v in areas.items())
        notes = [f"Areas over 0 to 10 clicks by the protocol of autoPET IV, not the challenge's own code: {shown}."]
    else:
        notes = [f"Area under the Dice curve {_shown(group.areas['dice'].mean, 3)}."]
    notes[0] += (
        f" A click lowered the Dice by more than {WORSE_BY:g} in {_percent(group.worse_share)} of clicks after the "
        f"first, by {_shown(group.worst_drop, 3)} at most; "
        f"largest fall {_shown(group.largest_drop.mean, 3)} on average."
    )
    errors = group.absolute_relative_error
    medians = ", ".join(f"{name} {_percent(error.median)}" for name, error in errors.items())
    return [*notes, f"Median absolute error after the last click: {medians}."]


def _autopet4_areas(evaluation: Evaluation) -> dict[str, float | None]:
    """Mean over scans of the area under each curve; None if it is undefined for all of them."""
    areas: dict[str, float | None] = {}
    for name in ("dice", "fpv_ml", "fnv_ml"):
        values = np.array([autopet4_area(target.curve(name)) for target in evaluation.targets])
        defined = values[np.isfinite(values)]
        areas[f"{name}_area"] = float(defined.mean()) if defined.size else None
    return areas


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %" if math.isfinite(value) else "-"
