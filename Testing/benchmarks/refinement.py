"""How long the model takes to refine the proposals of a whole scan of 400 x 400 x 326 voxels.

python Testing/benchmarks/refinement.py --data ../shared/data --threads 2
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from hotspots import scan

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.pet.proposals.criteria import cut_of
from SegAnyPETLib.pet.proposals.hotspots import propose
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.refinement import refine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds organ_maps")
    parser.add_argument("--model", default="lite")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lesions", type=int, default=60, help="refine so many of the proposals")
    arguments = parser.parse_args()
    pet = scan(arguments.data, 60)
    chosen = [proposal.candidate for proposal in propose(pet, cut_of("contrast"))][: arguments.lesions]
    lesions = [(candidate.region, Point(candidate.hottest_ras)) for candidate in chosen]
    backend = load_backend(arguments.model, threads=arguments.threads)
    begin, cpu = time.perf_counter(), time.process_time()
    refined = refine(pet, backend, lesions)
    wall, used = time.perf_counter() - begin, time.process_time() - cpu
    kept = sum(one.session is None for one in refined)
    print(f"{len(refined)} lesions in {wall:.1f} s ({used:.1f} s of a core), {kept} stay as proposed")


if __name__ == "__main__":
    main()
