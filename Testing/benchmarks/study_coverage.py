"""Coverage and errors of the first kind of a reader study's analysis, over simulated studies whose truth is known.

    python Testing/benchmarks/study_coverage.py --studies 400

prints, for crossovers of 2 readers and so many cases, how often the 95 % interval of the saving holds the truth (93 to
97 % is meant) and how often a study without a saving claims a difference at the 5 % level (3.5 to 6.5 %).
"""

import argparse
import math

import numpy as np

from SegAnyPETLib.study.analysis.model import fit
from SegAnyPETLib.study.plan.plan import Design
from Testing.study.simulated import simulated
from Testing.study.studies import cases, crossover


def main() -> None:
    """Simulate, and print one line per setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--cases", type=int, default=24)
    options = parser.parse_args()
    for kind in ("crossover", "parallel"):
        plan = crossover(design=Design(kind))
        for saving in (0.0, 0.3, 0.8266):
            held, shown, ratios = 0, 0, []
            for seed in range(options.studies):
                rows = simulated(plan, cases(options.cases), dict.fromkeys(plan.readers, saving), seed, 0.9, 1.0)
                effect = fit(rows, "manual").effects["arm:assisted"]
                held += effect.low <= 1 - saving <= effect.high
                shown += effect.p_value < 0.05
                ratios.append(math.log(effect.ratio))
            print(
                f"{kind:10} cases {options.cases:3} true saving {100 * saving:5.2f} %: interval holds it in "
                f"{100 * held / options.studies:.2f} % of {options.studies} studies, p < 0.05 in "
                f"{100 * shown / options.studies:.2f} %, mean saving {100 * (1 - math.exp(np.mean(ratios))):.2f} %",
                flush=True,
            )


if __name__ == "__main__":
    main()
