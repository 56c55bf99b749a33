"""Coverage and errors of the first kind of a reader study's analysis, over simulated studies whose truth is known.

    python Testing/benchmarks/study_coverage.py --studies 400

prints, for crossovers of 2 readers and so many cases, how often the 95 % interval of the saving holds the truth (93 to
97 % is meant) and how often a study without a saving claims a difference at the 5 % level (3.5 to 6.5 %).
"""

import argparse
import math

import numpy as np

from SegAnyPETLib.study.analysis.model import fit
from SegAnyPETLib.study.analysis.savings import savings
from SegAnyPETLib.study.plan.plan import Design, Plan
from Testing.study.simulated import simulated
from Testing.study.studies import cases, crossover


def main() -> None:
    """Simulate, and print one line per setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--cases", type=int, default=24)
    options = parser.parse_args()
    for kind, saving_sd in (("crossover", 0.0), ("parallel", 0.0), ("crossover", 0.3)):
        plan = crossover(design=Design(kind))
        for saving in (0.0, 0.3, 0.8266):
            _measure(plan, saving, saving_sd, options.cases, options.studies)


def _measure(plan: Plan, saving: float, saving_sd: float, count: int, studies: int) -> None:
    """Print the coverage in one setting; that of the bootstrap too where the saving differs between cases."""
    held, shown, by_bootstrap, ratios = 0, 0, 0, []
    for seed in range(studies):
        truth = dict.fromkeys(plan.readers, saving)
        rows = simulated(plan, cases(count), truth, seed, 0.9, saving_sd=saving_sd)
        if saving_sd:
            (overall,) = savings(rows, "manual", "none", seed).overall
            effect, paired = overall.effect, overall.paired
            by_bootstrap += paired is not None and paired.low <= 1 - saving <= paired.high
        else:
            effect = fit(rows, "manual").effects["arm:assisted"]
        held += effect.low <= 1 - saving <= effect.high
        shown += effect.p_value < 0.05
        ratios.append(math.log(effect.ratio))
    beside = f", the bootstrap's in {100 * by_bootstrap / studies:.2f} %" if saving_sd else ""
    print(
        f"{plan.design.kind:10} cases {count:3} true saving {100 * saving:5.2f} % (sd between cases {saving_sd}): "
        f"interval holds it in {100 * held / studies:.2f} %{beside} of {studies} studies, p < 0.05 in "
        f"{100 * shown / studies:.2f} %, mean saving {100 * (1 - math.exp(np.mean(ratios))):.2f} %",
        flush=True,
    )


if __name__ == "__main__":
    main()
