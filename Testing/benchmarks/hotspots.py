"""How long the proposals of a whole scan take: a simulated body on a grid of 400 x 400 x 326 voxels.

python Testing/benchmarks/hotspots.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from SegAnyPETLib.pet.proposals.criteria import BY_CONTRAST, FIXED
from SegAnyPETLib.pet.proposals.hotspots import propose
from SegAnyPETLib.simulation.phantom import make_phantom
from SegAnyPETLib.volume.io import read_labels
from SegAnyPETLib.volume.volume import Volume

ORGAN_MAP = "organ_maps/fdg_0b57b247b6.nii.gz"
SHAPE = (326, 400, 400)


def scan(data: Path, lesions: int) -> Volume:
    """A simulated body with air around it, as a scanner's grid has."""
    phantom = make_phantom(1, read_labels(data / ORGAN_MAP), "fdg", lesions).image
    array = np.random.default_rng(0).normal(0, 0.02, SHAPE).astype(np.float32)
    low = [(whole - part) // 2 for whole, part in zip(SHAPE, phantom.shape_kji, strict=True)]
    array[tuple(slice(a, a + n) for a, n in zip(low, phantom.shape_kji, strict=True))] = phantom.array_kji
    return Volume(array, phantom.ijk_to_ras, "SUVbw")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds organ_maps")
    parser.add_argument("--lesions", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    pet = scan(arguments.data, arguments.lesions)
    for criterion, cut in (BY_CONTRAST | FIXED).items():
        seconds = []
        for _ in range(arguments.repeats):
            begin, cpu = time.perf_counter(), time.process_time()
            found = propose(pet, cut)
            seconds.append((time.perf_counter() - begin, time.process_time() - cpu))
        wall, used = (min(column) for column in zip(*seconds, strict=True))
        print(f"{criterion:8} {len(found):4} proposals  {wall:5.2f} s, {used:5.2f} s of a core")


if __name__ == "__main__":
    main()
