"""What a model makes of a first click in windows of several voxel sizes, and how well its estimate chooses among them.

    python Testing/benchmarks/window_choice.py --data DATA --output choice.json [--model FILE] [--sets phantom sts]

Targets are the lesions of `seganypet phantom --seed 10` to 19 and the sarcomas of the fold 0 that
`cross_validation.py` leaves out. Each is clicked once, in its deepest voxel. Printed are the mean Dice of the
session's own mask, of the candidate that the estimate chooses, of the best of that and one step smaller or larger, and
of the best candidate; and the share of targets below 60 mm for which the first masks of all windows agree in volume
within a factor of 1.5.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.backend.protocol import Backend, TargetPrompts, WindowImage
from SegAnyPETLib.evaluation.metrics import crop_to_union, dice
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.candidates import LOOKS_MM, Candidate, by_size
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.session.settle import settle
from SegAnyPETLib.simulation.phantom import make_phantom
from SegAnyPETLib.training.recipe import Recipe
from SegAnyPETLib.training.windows.dataset import case_names, read_case
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window

SEEDS = range(10, 20)
#: Targets up to this size in mm lie whole in every window, whose side is 96 mm or more.
FITS_MM, AGREE = 60.0, 1.5
STRATA_ML = (0.0, 2.0, 5.0, 20.0, 1e9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--sets", nargs="+", choices=("phantom", "sts"), default=["phantom", "sts"])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="of the phantoms")
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()

    backend = load_backend(arguments.model, threads=arguments.threads)
    rows = []
    for name in arguments.sets:
        targets = phantoms(arguments.seeds) if name == "phantom" else sarcomas(arguments.data)
        for image, reference in tqdm(targets, desc=name):
            rows.append({"set": name, **measured(backend, image, reference)})
            arguments.output.write_text(json.dumps(rows, indent=1))
    print(table(rows))


def phantoms(seeds: list[int]) -> Iterator[tuple[Volume, Volume]]:
    """Image and lesion of each target of the phantoms."""
    for seed in seeds:
        phantom = make_phantom(seed)
        for truth in phantom.truth:
            yield phantom.image, phantom.lesions.with_array(phantom.lesions.array_kji == truth.label)


def sarcomas(data: Path) -> Iterator[tuple[Volume, Volume]]:
    """Image and mask of the cases of fold 0 of 3."""
    names = case_names(Recipe("fold", 1, real_cases=str(data / "sts"), exclude=("STS_001",)))
    for name in names[::3]:
        case = read_case(data / "sts" / name)
        yield case.image, case.mask


def measured(backend: Backend, image: Volume, reference: Volume) -> dict[str, Any]:
    """Candidates of the first click on a target, and the mask of a session."""
    click = RobotUser().next_point(reference)
    assert click is not None
    session = InteractiveSession(image, backend)
    session.add_point(click)
    found = candidates(backend, image, click)
    true = MaskPatch.cropped(reference.array_kji)
    masks = [on_grid(image, click, c) for _, c in found]
    dices = [overlap(mask, true) for mask in masks]
    extent = np.array(true.array_kji.shape) * image.spacing_mm[::-1]
    return {
        "ml": true.voxels * image.voxel_ml,
        "extent_mm": float(extent.max()),
        "session": dice(*crop_to_union(session.mask_kji, reference.array_kji)),
        "candidates": [
            {
                "spacing_mm": c.window.spacing_mm,
                "number": n,
                "quality": c.quality,
                "ml": mask.voxels * image.voxel_ml,
                "dice": value,
            }
            for (n, c), mask, value in zip(found, masks, dices, strict=True)
        ],
        **chosen([c for _, c in found], dices),
    }


def candidates(backend: Backend, image: Volume, click: Point) -> list[tuple[int, Candidate]]:
    """The masks of a click in windows of all voxel sizes, each with its number among the masks of its window."""
    found = []
    for spacing_mm in LOOKS_MM:
        window = Window.around(image, click.ras, backend.spec.size, spacing_mm)
        voxels = np.nan_to_num(window.sample(image), nan=0.0, posinf=0.0, neginf=0.0)
        prompts = TargetPrompts(
            window.index_kji(np.array([click.ras])).astype(np.float32), np.array([True]), alternatives=True
        )
        (prediction,) = backend.predict(WindowImage.of(voxels, spacing_mm), [prompts])
        found += list(enumerate(Candidate.all_of(prediction, window)))
    return found


def on_grid(image: Volume, click: Point, candidate: Candidate) -> MaskPatch:
    """The mask of a candidate as a session would take it."""
    proposal = candidate.window.paste(candidate.prediction.logits_kji, image)
    return settle(image, MaskPatch.empty(), proposal, (click,), [Box.whole(image.shape_kji)])


def chosen(found: list[Candidate], dices: list[float]) -> dict[str, float]:
    """Dice of the chosen candidate, of the best of that and its neighbours in size, and of the best of all."""
    ladder = by_size(found)
    if ladder is None:
        return {"chosen": 0.0, "one_step": 0.0, "oracle": 0.0}
    values = [dices[found.index(c)] for c in ladder.candidates]
    near = values[max(ladder.chosen - 1, 0) : ladder.chosen + 2]
    return {"chosen": values[ladder.chosen], "one_step": max(near), "oracle": max(dices)}


def overlap(one: MaskPatch, other: MaskPatch) -> float:
    """Dice of two masks on the same grid, the second one with voxels."""
    common = one.box.meet(other.box)
    both = int(np.count_nonzero(one.within(common) & other.within(common)))
    return 2 * both / (one.voxels + other.voxels)


def table(rows: list[dict[str, Any]]) -> str:
    """Means of each set and stratum of volume, as Markdown."""
    lines = [
        "| set | targets | session | chosen | one step | oracle | windows agree |",
        "|---|---|---|---|---|---|---|",
    ]
    groups = {name: [r for r in rows if r["set"] == name] for name in sorted({r["set"] for r in rows})}
    for name in list(groups):
        for low, high in pairwise(STRATA_ML):
            groups[f"{name} {low:g} to {high:g} ml"] = [r for r in groups[name] if low <= r["ml"] < high]
    for name, members in groups.items():
        if members:
            means = [f"{np.mean([r[k] for r in members]):.3f}" for k in ("session", "chosen", "one_step", "oracle")]
            lines.append(f"| {name} | {len(members)} | {' | '.join(means)} | {agreement(members)} |")
    return "\n".join(lines)


def agreement(rows: list[dict[str, Any]]) -> str:
    """Share of small targets whose first masks have volumes within a factor of each other, in all windows."""
    fitting = [[c["ml"] for c in r["candidates"] if c["number"] == 0] for r in rows if r["extent_mm"] <= FITS_MM]
    agreeing = [max(ml) <= AGREE * min(ml) for ml in fitting]
    return f"{np.mean(agreeing):.2f} of {len(agreeing)}" if agreeing else "-"


if __name__ == "__main__":
    main()
