"""The figures of a report."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from SegAnyPETLib.study.analyse import Results

#: Colours that are told apart by most who are colour-blind (Okabe & Ito 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def flow(results: Results) -> Figure:
    """Draw what became of the readings, after CONSORT's flow diagram."""
    study, collected = results.study, results.collected
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 4)
    cases, readers = len(study.manifest.analysed), len(study.plan.readers)
    _box(axes, (2.5, 3.4), f"{cases} cases x {readers} readers\n{collected.planned} readings planned")
    reasons: dict[str, int] = {}
    for one in collected.left:
        reasons[one.why] = reasons.get(one.why, 0) + 1
    told = "\n".join(f"{count}: {why[:44]}" for why, count in sorted(reasons.items())[:4])
    _box(axes, (7.3, 2.2), f"{len(collected.left)} left out" + (f"\n{told}" if told else ""))
    arms = [arm.name for arm in study.plan.arms]
    counts = ", ".join(f"{arm} {sum(t.planned.arm == arm for t in collected.timed)}" for arm in arms)
    _box(axes, (2.5, 0.7), f"{len(collected.timed)} readings analysed\n{counts}")
    axes.annotate("", (2.5, 1.15), (2.5, 2.95), arrowprops={"arrowstyle": "->"})
    axes.annotate("", (5.2, 2.2), (2.5, 2.2), arrowprops={"arrowstyle": "->"})
    return figure


def paired_times(results: Results) -> Figure:
    """Draw each case's time in each arm, one panel per reader, joined by a line."""
    study = results.study
    arms = [arm.name for arm in study.plan.arms]
    figure, panels = _panels(len(study.plan.readers))
    for axes, reader in zip(panels, study.plan.readers, strict=False):
        for case in sorted({row.case for row in results.rows}):
            times = {row.arm: row.seconds / 60 for row in results.rows if (row.reader, row.case) == (reader, case)}
            shown = [arm for arm in arms if arm in times]
            axes.plot(
                [arms.index(a) for a in shown], [times[a] for a in shown], "o-", color=COLOURS[0], alpha=0.5, ms=3
            )
        _log(axes.set_yscale, axes.yaxis)
        axes.set_xticks(range(len(arms)), arms)
        axes.set_xlim(-0.4, len(arms) - 0.6)
        axes.set_title(reader, fontsize=9)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("working time per case, min")
    return figure


def forest(results: Results) -> Figure:
    """Draw savings with their intervals: the model's as squares, the bootstrap's as circles below."""
    found = [*results.savings.overall, *results.savings.readers]
    figure = Figure(figsize=(7, 0.7 + 0.45 * len(found)), layout="constrained")
    axes = figure.subplots()
    for place, one in enumerate(found):
        low, high = one.interval
        _whisker(axes, place, one.share, low, high, "s", COLOURS[0])
        if one.paired is not None and math.isfinite(one.paired.low):
            _whisker(axes, place + 0.25, 1 - one.paired.ratio, 1 - one.paired.high, 1 - one.paired.low, "o", COLOURS[1])
    axes.set_yticks(range(len(found)), [f"{one.reader or 'all readers'}, {one.arm}" for one in found])
    axes.invert_yaxis()
    axes.axvline(0, color="#57606a", lw=0.8)
    axes.set_xlabel("time saved, % (squares: mixed model, circles: bootstrap over cases)")
    axes.grid(alpha=0.3, axis="x")
    return figure


def learning(results: Results) -> Figure:
    """Draw working time over the position in the period, one panel per reader."""
    study = results.study
    figure, panels = _panels(len(study.plan.readers))
    for axes, reader in zip(panels, study.plan.readers, strict=False):
        for colour, arm in zip(COLOURS, study.plan.arms, strict=False):
            rows = [row for row in results.rows if (row.reader, row.arm) == (reader, arm.name)]
            axes.scatter([r.position for r in rows], [r.seconds / 60 for r in rows], s=12, color=colour, label=arm.name)
        _log(axes.set_yscale, axes.yaxis)
        axes.set_title(reader, fontsize=9)
        axes.set_xlabel("position in the period")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("working time per case, min")
    panels[0].legend(fontsize=8)
    return figure


def volumes(results: Results) -> Figure:
    """Draw Bland-Altman plots of the logarithm of the volume, a reader's arm against his reference arm."""
    figure, panels = _panels(max(1, len(results.within)))
    for axes, one in zip(panels, results.within, strict=False):
        pairs = np.array(one.pairs)
        axes.scatter(np.exp(pairs.mean(1)), np.exp(pairs[:, 1] - pairs[:, 0]), s=12, color=COLOURS[0])
        for value, style in ((one.agreement.bias, "-"), (one.agreement.lower, "--"), (one.agreement.upper, "--")):
            axes.axhline(math.exp(value), color=COLOURS[1], ls=style, lw=1)
        _log(axes.set_xscale, axes.xaxis)
        axes.set_title(f"{one.reader}, {one.arm}", fontsize=9)
        axes.set_xlabel("volume, ml (geometric mean)")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("ratio of volumes")
    return figure


def interactions(results: Results) -> Figure:
    """Draw interactions and working time of each target against its volume."""
    figure, panels = _panels(2)
    for colour, arm in zip(COLOURS, results.study.plan.arms, strict=False):
        targets = [t for one in results.collected.timed if one.planned.arm == arm.name for t in one.time.targets]
        targets = [t for t in targets if t.volume_ml > 0]
        sizes = [t.volume_ml for t in targets]
        panels[0].scatter(sizes, [t.interactions for t in targets], s=10, color=colour, alpha=0.6, label=arm.name)
        panels[1].scatter(sizes, [t.working_s for t in targets], s=10, color=colour, alpha=0.6)
    for axes, label in zip(panels, ("interactions", "working time, s"), strict=True):
        _log(axes.set_xscale, axes.xaxis)
        axes.set_xlabel("volume of the target, ml")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    panels[0].legend(fontsize=8)
    return figure


def time_and_quality(results: Results) -> Figure:
    """Draw Dice against working time."""
    figure, (axes,) = _panels(1)
    seconds = {(row.reader, row.case, row.arm): row.seconds for row in results.rows}
    for colour, arm in zip(COLOURS, results.study.plan.arms, strict=False):
        rows = [q for q in results.quality if q.arm == arm.name and (q.reader, q.case, q.arm) in seconds]
        times = [seconds[q.reader, q.case, q.arm] / 60 for q in rows]
        axes.scatter(times, [q.values["dice"] for q in rows], s=12, color=colour, label=arm.name)
    _log(axes.set_xscale, axes.xaxis)
    axes.set_xlabel("working time per case, min")
    axes.set_ylabel("Dice")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def _panels(count: int) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(4 * min(count, 3), 3.2 * -(-count // 3)), layout="constrained")
    grid = figure.subplots(-(-count // 3), min(count, 3), squeeze=False)
    panels = list(grid.flat)
    for axes in panels[count:]:
        axes.set_axis_off()
    return figure, panels[:count]


def _log(set_scale: Callable[[str], None], axis: Axis) -> None:
    """Make an axis logarithmic, with plain numbers."""
    set_scale("log")
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def _box(axes: Axes, place: tuple[float, float], text: str) -> None:
    axes.text(*place, text, ha="center", va="center", fontsize=9, bbox={"boxstyle": "round", "fc": "#f6f8fa"})


def _whisker(axes: Axes, place: float, middle: float, low: float, high: float, marker: str, colour: str) -> None:
    axes.plot([100 * low, 100 * high], [place, place], color=colour, lw=1.5)
    axes.plot([100 * middle], [place], marker, color=colour, ms=5)
