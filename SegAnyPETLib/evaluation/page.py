"""An evaluation as a page that opens without a network."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from SegAnyPETLib.evaluation.report import (
    interval,
    notes,
    number,
    percent,
    shown_steps,
    summary_of,
    title,
)
from SegAnyPETLib.evaluation.results import Evaluation
from SegAnyPETLib.evaluation.statistics.comparison import best_methods, comparisons
from SegAnyPETLib.evaluation.statistics.summary import GroupSummary, Summary
from SegAnyPETLib.reports.page import Page, Section, Table, render, svg_of


def page_of(evaluation: Evaluation) -> str:
    """Return the page: curves and strata, threshold methods beside them, clicks that made it worse, what to know."""
    summary = summary_of(evaluation)
    groups = _groups(evaluation, summary)
    sections = [
        Section("Dice over clicks", table=_dice_table(evaluation, groups), figure=svg_of(_curves(evaluation, groups))),
        Section("Clicks that lowered the Dice", table=_worse_table(groups)),
    ]
    compared = comparisons(evaluation)
    if compared:
        best = best_methods(compared)
        sections.append(
            Section(
                "First click and threshold methods",
                ("Difference: Dice of the model after one click minus that of the method on the same targets.",),
                Table(
                    ("stratum", "method", "targets", "cases", "model", "method's", "difference", "95 % CI", "p"),
                    tuple(
                        (
                            one.stratum.name,
                            f"{one.method} (best)" if one in best else one.method,
                            f"{one.targets}",
                            f"{one.cases}",
                            number(one.model_dice, 3),
                            number(one.method_dice, 3),
                            f"{one.difference.mean:+.3f}",
                            interval(one.difference),
                            number(one.p_value, 4),
                        )
                        for one in compared
                    ),
                ),
            )
        )
    sections.append(Section("What to know", tuple(notes(evaluation, summary))))
    return render(Page(f"Evaluation of {title(evaluation)}", tuple(sections)))


def _groups(evaluation: Evaluation, summary: Summary) -> list[tuple[str, GroupSummary]]:
    """Return the groups that have a member, cases first."""
    named = [("per case", summary.per_case), ("all targets", summary.all)]
    if evaluation.robot != "autopet4":
        named += [(stratum.name, group) for stratum, group in summary.strata]
    return [(name, group) for name, group in named if group is not None]


def _dice_table(evaluation: Evaluation, groups: list[tuple[str, GroupSummary]]) -> Table:
    shown = shown_steps(evaluation)
    rows = []
    for name, group in groups:
        dice = [group.curves["dice"][evaluation.steps.index(step)] for step in shown]
        cells = [text for one in dice for text in (number(one.mean, 3), interval(one))]
        rows.append((name, f"{group.count}", f"{group.cases}", *cells))
    columns = [text for step in shown for text in (f"after {step}", "95 % CI")]
    return Table(("group", "count", "cases", *columns), tuple(rows))


def _worse_table(groups: list[tuple[str, GroupSummary]]) -> Table:
    rows = [
        (name, percent(g.worse_share.mean), number(g.worst_drop, 3), number(g.largest_drop.mean, 3))
        for name, g in groups
    ]
    return Table(("group", "share of clicks after the first", "largest fall", "mean largest fall"), tuple(rows))


def _curves(evaluation: Evaluation, groups: list[tuple[str, GroupSummary]]) -> Figure:
    """Mean Dice over clicks of each group, the interval shaded if there is one."""
    columns = 4
    figure = Figure(figsize=(12, 2.4 * max(1, -(-len(groups) // columns)) + 0.4), layout="constrained")
    axes = figure.subplots(max(1, -(-len(groups) // columns)), columns, sharex=True, sharey=True, squeeze=False).flat
    for axis, (name, group) in zip(axes, groups, strict=False):
        dice = group.curves["dice"]
        axis.plot(evaluation.steps, [one.mean for one in dice], marker="o", markersize=3, color="#0969da")
        axis.fill_between(
            evaluation.steps, [o.low for o in dice], [o.high for o in dice], alpha=0.2, color="#0969da", linewidth=0
        )
        axis.set_title(f"{name} ({group.count})", fontsize=9)
        axis.set_ylim(0, 1)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.label_outer()
    for axis in figure.axes[len(groups) :]:
        axis.set_axis_off()
    figure.supxlabel("clicks", fontsize=9)
    figure.supylabel("mean Dice", fontsize=9)
    return figure
