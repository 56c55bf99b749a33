"""Dice click by click, how often a click makes it worse, and what a step smaller or larger is worth at the first one.

    python Testing/benchmarks/clicks_and_sizes.py --output clicks.json [--model FILE] [--seeds 10 11] [--data DATA]

Targets are the lesions of phantoms, by default those of `seganypet phantom --seed 10` to 19, and with --data the
sarcomas of the fold 0 that `cross_validation.py` leaves out. Each is clicked five times by an ideal user, who takes no
step.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm
from window_choice import SEEDS, STRATA_ML, phantoms, sarcomas

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.evaluation.metrics import crop_to_union, dice
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.evaluation.statistics.curves import WORSE_BY
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.volume import Volume

CLICKS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--data", type=Path, help="holds sts/")
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()

    backend = load_backend(arguments.model, threads=arguments.threads)
    sets = {"phantom": phantoms(arguments.seeds)}
    if arguments.data is not None:
        sets["sts"] = sarcomas(arguments.data)
    rows = []
    for name, targets in sets.items():
        for image, reference in tqdm(targets, desc=name):
            rows.append({"set": name, **measured(backend, image, reference)})
            arguments.output.write_text(json.dumps(rows, indent=1))
    for name in sets:
        print(table(name, [r for r in rows if r["set"] == name]))


def table(name: str, rows: list[dict[str, Any]]) -> str:
    """Means by volume as Markdown, the share of clicks that made a mask worse, and times."""
    lines = [
        f"| {name}, ml | targets | 1 click | 3 | 5 | 1 click and the best step | best size of any |",
        "|---|---|---|---|---|---|---|",
    ]
    for low, high in ((0.0, np.inf), *pairwise(STRATA_ML)):
        members = [r for r in rows if low <= r["ml"] < high]
        if members:
            curve = np.mean([r["dice"] for r in members], axis=0)
            steps = [np.mean([r[key] for r in members]) for key in ("one_step", "any")]
            means = " | ".join(f"{m:.3f}" for m in (*curve[[0, 2, 4]], *steps))
            lines.append(f"| {low:g} to {high:g} | {len(members)} | {means} |")
    falls = np.array([a - b for r in rows for a, b in pairwise(r["dice"][: r["made"]])])
    worse = f"{np.mean(falls > WORSE_BY):.3f} of {len(falls)}, most {max(falls):.3f}"
    first_s, sizes_s = (np.median(v) for v in zip(*((r["seconds"][0], r["sizes_seconds"]) for r in rows), strict=True))
    lines.append(f"clicks that lower Dice by > {WORSE_BY}: {worse}")
    lines.append(f"seconds, median: first click {first_s:.2f}, its sizes {sizes_s:.2f}")
    return "\n".join(lines)


def measured(backend: Backend, image: Volume, reference: Volume) -> dict[str, Any]:
    """Dice of a target after each click, and after the best of one step and of any at the first one."""
    user, session = RobotUser(), InteractiveSession(image, backend)
    values: list[float] = []
    seconds: list[float] = []
    steps: dict[str, float] = {}
    for _ in range(CLICKS):
        click = user.next_point(reference, session.mask_kji)
        if click is None:
            break
        begin = time.perf_counter()
        session.add_point(click)
        seconds.append(time.perf_counter() - begin)
        values.append(dice(*crop_to_union(session.mask_kji, reference.array_kji)))
        if len(values) == 1:
            steps = sizes(session, reference, values[0])
    made = len(values)
    return {
        "ml": float(np.count_nonzero(reference.array_kji)) * image.voxel_ml,
        "dice": values + values[-1:] * (CLICKS - made),
        "made": made,
        "seconds": seconds,
        **steps,
    }


def sizes(session: InteractiveSession, reference: Volume, first: float) -> dict[str, float]:
    """Dice of the best of one step, and of any size; no step is among both."""
    begin = time.perf_counter()
    session.find_sizes()
    seconds = time.perf_counter() - begin
    masks = [a.mask.to_array(reference.shape_kji) for a in session.alternatives]
    values = [dice(*crop_to_union(mask, reference.array_kji)) for mask in masks]
    near = values[max(session.chosen - 1, 0) : session.chosen + 2]
    return {"one_step": max([first, *near]), "any": max([first, *values]), "sizes_seconds": seconds}


if __name__ == "__main__":
    main()
