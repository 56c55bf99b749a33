"""An evaluation as a Markdown table, to be read in a terminal and pasted into a model card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from SegAnyPETLib.evaluation.curves import SMALL_ML

#: Clicks after which the table shows the curves.
SHOWN_CLICKS = (1, 3, 5, 10)

GROUPS = {
    "all": "all targets",
    "small": f"below {SMALL_ML:g} ml",
    "large": f"{SMALL_ML:g} ml and more",
    "cases": "per case",
}

COLUMNS = ("targets", "after", "Dice", "95 % CI", "median", "NSD 2 mm", "NSD 4 mm", "HD95 mm", "FPV ml", "FNV ml")


def report(result: dict[str, Any]) -> str:
    """A table of means over targets: per click, small lesions apart, the baselines below.

    Args:
        result: what `evaluate` returned.

    Returns:
        Markdown with a title, one table and notes. HD95 is the mean over targets whose mask is not empty.
    """
    summary = result["summary"]
    lines = [
        f"{result['model']}, {result['robot']} robot user, seed {result['seed']}, {len(result['targets'])} targets",
        "",
        _row(COLUMNS),
        _row(["---"] * len(COLUMNS)),
    ]
    shown = [click for click in SHOWN_CLICKS if click < result["clicks"]] + [result["clicks"]]
    for key, title in GROUPS.items():
        if summary[key]:
            lines += [_curve_row(f"{title} ({summary[key]['count']})", n, summary[key]) for n in shown]
    for name, baseline in result.get("baselines", {}).items():
        for key in ("all", "small"):
            group = baseline["summary"][key]
            if group:
                lines.append(_curve_row(f"{name}, {GROUPS[key]} ({group['count']})", 1, group))
    return "\n".join([*lines, "", *_notes(summary["all"])]) + "\n"


def _curve_row(title: str, click: int, group: dict[str, Any]) -> str:
    dice = {key: values[click - 1] for key, values in group["dice"].items()}
    low, high = dice["ci95"]
    others = [_number(group[name]["mean"][click - 1], 3) for name in ("nsd_2mm", "nsd_4mm")]
    others += [_number(group[name]["mean"][click - 1], 1) for name in ("hd95_mm", "fpv_ml", "fnv_ml")]
    interval = f"{_number(low, 3)} to {_number(high, 3)}"
    return _row([title, f"{click}", _number(dice["mean"], 3), interval, _number(dice["median"], 3), *others])


def _notes(group: dict[str, Any]) -> list[str]:
    swing, area = group["dice_largest_drop"], group["dice_area"]
    notes = [
        f"Area under the Dice curve {_number(area['mean'], 3)}; "
        f"largest fall of Dice between two clicks {_number(swing['mean'], 3)} on average."
    ]
    errors = group["absolute_relative_error"]
    medians = ", ".join(f"{name} {_percent(errors[name]['median'])}" for name in errors)
    return [*notes, f"Median absolute error after the last click: {medians}."]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
