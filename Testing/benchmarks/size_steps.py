"""What a step smaller or larger is worth: Dice after a first click, and after the best of one step and of any.

    python Testing/benchmarks/size_steps.py --output steps.json [--model FILE] [--seeds 10 11]

Targets are the lesions of phantoms, by default those of `seganypet phantom --seed 10` to 19, each clicked once in its
deepest voxel.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from tqdm import tqdm
from window_choice import SEEDS, STRATA_ML, phantoms

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.evaluation.metrics import crop_to_union, dice
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.volume import Volume


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()

    backend = load_backend(arguments.model, threads=arguments.threads)
    rows = []
    for image, reference in tqdm(phantoms(arguments.seeds), unit="target"):
        rows.append(measured(backend, image, reference))
        arguments.output.write_text(json.dumps(rows, indent=1))
    print("| volume, ml | targets | first click | best of one step | best of any | sizes |\n|---|---|---|---|---|---|")
    for low, high in ((0.0, np.inf), *pairwise(STRATA_ML)):
        members = [r for r in rows if low <= r["ml"] < high]
        if members:
            means = [np.mean([r[key] for r in members]) for key in ("first", "one_step", "any")]
            sizes = np.mean([r["sizes"] for r in members])
            print(f"| {low:g} to {high:g} | {len(members)} | {' | '.join(f'{m:.3f}' for m in means)} | {sizes:.1f} |")
    print(f"median seconds to find the sizes: {np.median([r['seconds'] for r in rows]):.2f}")


def measured(backend: Backend, image: Volume, reference: Volume) -> dict[str, float]:
    """Dice of a target after a click, and after the best of one step and of any; none makes it worse."""
    click = RobotUser().next_point(reference)
    assert click is not None
    session = InteractiveSession(image, backend)
    session.add_point(click)
    first = dice(*crop_to_union(session.mask_kji, reference.array_kji))
    begin = time.perf_counter()
    session.find_sizes()
    seconds = time.perf_counter() - begin
    masks = [a.mask.to_array(image.shape_kji) for a in session.alternatives]
    values = [dice(*crop_to_union(mask, reference.array_kji)) for mask in masks]
    near = values[max(session.chosen - 1, 0) : session.chosen + 2]
    return {
        "ml": float(np.count_nonzero(reference.array_kji)) * image.voxel_ml,
        "first": first,
        "one_step": max([first, *near]),
        "any": max([first, *values]),
        "sizes": max(len(values), 1),
        "seconds": seconds,
    }


if __name__ == "__main__":
    main()
