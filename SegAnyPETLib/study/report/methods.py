"""What a paper must say of a study, in words."""

from __future__ import annotations

from SegAnyPETLib.study.analyse import Results
from SegAnyPETLib.study.analysis.savings import RESAMPLES, Saving
from SegAnyPETLib.study.plan.folder import power_statement
from SegAnyPETLib.study.report.tables import p_text, percent, percents

SIMULATED = "SIMULATED: robots read phantoms in this study, with an assumed human pace; it says nothing about people."

#: A bootstrap interval so many times as wide as the model's is told: where the saving differs between cases (standard
#: deviation 0.3 of the log ratio, 2 readers, 24 cases) the model's held the truth in 91 % of 400 simulated studies.
TOLD_WIDER = 1.15

_DESIGN = {
    "crossover": "a paired crossover of two periods",
    "latin_square": "a crossover in the orders of a Williams square",
    "parallel": "parallel groups of cases",
}
_CORRECTED = {
    "none": "were not corrected",
    "holm": "were corrected after Holm",
    "bonferroni": "were corrected after Bonferroni",
}


def main_result(results: Results) -> tuple[str, ...]:
    """Return the result in a sentence for each arm, and for each reader."""
    return tuple(_sentence(one) for one in (*results.savings.overall, *results.savings.readers))


def _sentence(one: Saving) -> str:
    who = f"Reader {one.reader}" if one.reader else "All readers"
    return (
        f"{who}: {one.arm} saved {percent(one.share)} of the working time (95 % interval {percents(*one.interval)}, "
        f"p {'' if one.p_adjusted < 0.0001 else '= '}{p_text(one.p_adjusted)})."
    )


def methods(results: Results) -> tuple[str, ...]:
    """Return the methods paragraph."""
    study, plan = results.study, results.study.plan
    arms = "; ".join(
        f"{arm.name} ({', '.join(arm.tools)}{', model ' + arm.model if arm.model else ''}"
        f"{', the reference' if arm.reference else ''})"
        for arm in plan.arms
    )
    washout = "" if plan.design.kind == "parallel" else f", with a wash-out of {plan.design.washout_days} days"
    blinded = (
        "saw neither the results of the other arms nor those of other readers" if plan.blinded else "were not blinded"
    )
    design = (
        f"{_number(len(plan.readers), 'reader')} segmented {len(study.manifest.analysed)} cases in "
        f"{_DESIGN[plan.design.kind]}{washout}, after {_number(len(study.manifest.training), 'training case')}. The "
        f"arms were: {arms}. The order of arms was drawn for each reader and case in balanced blocks, the order of "
        f"cases for each reader and period (seed {plan.seed}); at most {plan.design.cases_per_day} cases were read a "
        f"day, with a break of {plan.breaks.minutes} min due after {plan.breaks.after_min} min. Readers {blinded}. "
        f"When the study was planned, {power_statement(study)}."
    )
    times = (
        "Every act was logged with a wall and a monotonic clock; logs are chained by SHA-256. Working time is the "
        f"time between a case's opening and its end; gaps between two acts count up to {plan.idle_s:g} s, waiting "
        "for the model counts in full, pauses and other windows do not, nor does time over which the clocks "
        f"disagree. {len(results.collected.timed)} of {results.collected.planned} planned readings were analysed; "
        "the reasons for the others are listed."
    )
    model = results.savings.model
    statistics = (
        f"A saving is one less the ratio of geometric means of working time, from the linear mixed model "
        f"{model.formula}, by REML (statsmodels) over {model.readings} readings of {model.cases} cases; intervals and "
        f"p-values are those of Student's t with the degrees of freedom within cases. The standard deviation of log "
        f"time was {model.case_sd:.3f} between cases and {model.residual_sd:.3f} within. Beside it stand a bootstrap "
        f"over cases (BCa, {RESAMPLES} resamples) and Wilcoxon's signed rank test of the cases' log ratios (scipy). "
        f"p-values of several comparisons {_CORRECTED[plan.multiplicity]}. Quality is compared over cases by paired t "
        f"intervals and two one-sided tests (statsmodels), agreement by ICC(2,1) (pingouin) and limits of agreement "
        f"(Bland & Altman 1999)."
    )
    return design, times, statistics


def doubts(results: Results) -> tuple[str, ...]:
    """Return what a reviewer would ask."""
    found = []
    for one in results.savings.overall:
        pair = one.paired
        if pair is None or not pair.high > pair.low:
            continue
        wider = (pair.high - pair.low) / (one.effect.high - one.effect.low)
        if wider > TOLD_WIDER:
            found.append(
                f"The bootstrap's interval for {one.arm} is {wider:.2f} times as wide as the model's: the saving "
                "differs between cases; quote the wider one."
            )
    readers = len(results.study.plan.readers)
    if readers < 4:
        found.append(
            f"With {_number(readers, 'reader')} the result holds for these readers; cases, not readers, were sampled."
        )
    found += [
        f"{effect.name}: p {p_text(effect.p_value)}; time depended on it."
        for effect in results.effects
        if effect.p_value < 0.05
    ]
    return tuple(found)


def checklist(results: Results) -> tuple[tuple[str, str], ...]:
    """Return what a report of such a study must tell, and where it is told here."""
    plan = results.study.plan
    return (
        ("Readers, their number and experience", f"{len(plan.readers)} readers by code; state their experience"),
        ("How cases were chosen", "to be stated; the manifest lists them"),
        ("Arms and tools", "Methods"),
        ("Order, randomisation, wash-out", f"Methods; schedule.csv, seed {plan.seed}"),
        ("Blinding", "Methods"),
        ("Training", f"{len(results.study.manifest.training)} cases, not analysed"),
        ("What time includes", "Methods; Sensitivity"),
        ("Sample size and power", "Methods"),
        ("Readings left out, with reasons", "Flow; Left out"),
        ("Effect with interval, per reader", "Savings"),
        ("Carry-over and learning", "Period, order, learning"),
        ("Quality beside time, with a margin fixed before", "Quality" if plan.quality else "NOT PLANNED"),
        ("Agreement between and within readers", "Agreement"),
        ("Correction for several comparisons", plan.multiplicity),
        ("Plan fixed before the first reading", f"SHA-256 {results.study.plan_sha256}"),
        ("Hardware, display, version of the software", "to be stated; logs hold the version"),
    )


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
