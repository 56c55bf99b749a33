"""Quality of a model on simulated head-and-neck disease in whole-body PET of organ maps that training left out.

    python Testing/benchmarks/head_and_neck.py --data DATA --output head_and_neck.json

A stand-in for real scans. DATA/organ_maps holds the maps; every eighth, from the first, is left out of training
(`organ_map_stride: 8`), and of these the first six served to choose settings. Maps that show hardly any brain are
passed over; the others give a few bodies each. A body gets two to five FDG-avid lesions of 1 to 100 ml from the lower
part of the brain to the collarbones; the second one touches the first, later ones touch another or keep away from all.
Every lesion is clicked in the whole image; touching ones are targets of their own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from left_out_maps import benchmark_parser, chosen_maps
from numpy.typing import NDArray
from scipy import ndimage
from tqdm import tqdm

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.evaluation.evaluate import evaluate
from SegAnyPETLib.evaluation.manifest import Case
from SegAnyPETLib.evaluation.sessions import sessions_over
from SegAnyPETLib.evaluation.settings import EvaluationSettings
from SegAnyPETLib.evaluation.statistics.intervals import describe_columns
from SegAnyPETLib.evaluation.statistics.strata import SMALL_ML
from SegAnyPETLib.simulation.anatomy import Anatomy, anatomy_from_organs
from SegAnyPETLib.simulation.lesions import largest_part, lesion_shape, lesion_uptake
from SegAnyPETLib.simulation.painting import paint
from SegAnyPETLib.simulation.phantom import LESION_GAP_MM, Phantom, scan_phantom
from SegAnyPETLib.simulation.tissues import Tissue, draw_uptake
from SegAnyPETLib.volume.io import read_labels, write_volume
from SegAnyPETLib.volume.volume import Volume

#: Scans that end below the brain are no test of lesions near it; those from the eyes down show a little of it.
MIN_BRAIN_ML = 20.0
#: Lesions per body, their volumes (drawn log-uniformly) and their uptake in SUV (the same).
FEWEST, MOST = 2, 5
MIN_ML, MAX_ML = 1.0, 100.0
MIN_SUV, MAX_SUV = 3.0, 20.0
#: A lesion takes up at least this many times as much as what it replaces.
MIN_CONTRAST = 2.0
#: Share of the third and later lesions that touch another one.
TOUCHING_SHARE = 0.35
#: Middles of lesions lie between these heights over the brain's lowest slice, and that near the middle of the body.
HIGHEST_MM, LOWEST_MM, FARTHEST_MM = 12.0, -168.0, 70.0
#: And not farther than this below the top of the lungs: supraclavicular nodes still belong to the neck.
BELOW_LUNGS_TOP_MM = 20.0
#: What lesions may grow in: not air, brain or lungs, and not the fat below the skin.
HOSTS = (Tissue.SOFT, Tissue.HEAD_GLANDS, Tissue.MARROW, Tissue.BLOOD)
#: Shapes tried per lesion, and how far the volume of one may be from the drawn volume.
TRIES, VOLUME_FACTOR = 400, 1.5
SHOWN_CLICKS = (1, 3, 5)

Target = dict[str, Any]
GROUPS: dict[str, Callable[[Target], bool]] = {
    "all": lambda target: True,
    f"{MIN_ML:g} to {SMALL_ML:g} ml": lambda target: target["volume_ml"] < SMALL_ML,
    f"{SMALL_ML:g} to {MAX_ML:g} ml": lambda target: target["volume_ml"] >= SMALL_ML,
    "touching": lambda target: target["touching"],
    "not touching": lambda target: not target["touching"],
}


def main() -> None:
    parser = benchmark_parser(__doc__, skip=6)
    parser.add_argument("--bodies", type=int, default=2, help="bodies made of each map (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="of the phantoms and of the robot user")
    arguments = parser.parse_args()

    backend = load_backend(arguments.model)
    found: dict[str, list[Target]] = {}
    for number, path in tqdm(chosen_maps(arguments), unit="map"):
        organs = read_labels(path)
        if np.count_nonzero(organs.array_kji == Tissue.BRAIN) * organs.voxel_ml < MIN_BRAIN_ML:
            tqdm.write(f"{path.name} shows hardly any brain and is passed over")
            continue
        for body in range(arguments.bodies):
            phantom = make_head_and_neck(organs, np.random.default_rng([arguments.seed, number, body]))
            name = f"{path.name.removesuffix('.nii.gz')} body {body}"
            for method, targets in _measured(phantom, name, backend, arguments).items():
                found.setdefault(method, []).extend(targets)
    if not found:
        raise SystemExit("none of the maps shows enough of the brain; use other --skip and --maps")
    summary = {name: _summary(targets, arguments.seed) for name, targets in found.items()}
    about = {"model": arguments.model, "clicks": arguments.clicks, "seed": arguments.seed}
    arguments.output.write_text(json.dumps({**about, "summary": summary, "targets": found}, indent=1))
    print(_table(summary, arguments.model))


def make_head_and_neck(organs: Volume, rng: np.random.Generator) -> Phantom:
    """A body around organs, with lesions in the head and the neck.

    Args:
        organs: multi-organ labels 1 to 10, the brain among them.
        rng: source of everything random.

    Raises:
        SegAnyPETError: two touching lesions find no room.
    """
    anatomy = anatomy_from_organs(organs, rng)
    activity = paint(anatomy.tissues, draw_uptake("fdg", rng), anatomy.spacing_mm, rng)
    lesions = add_lesions(activity, anatomy, rng)
    if not touching_labels(lesions):
        raise SegAnyPETError("two touching lesions find no room in this body; use another --seed")
    return scan_phantom(anatomy, activity, lesions, rng)


def add_lesions(activity: NDArray[np.float32], anatomy: Anatomy, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paint lesions into an activity; those that find no room are left out.

    Returns:
        Their labels, from 1. The second one to find room touches the first.
    """
    labels = np.zeros(activity.shape, dtype=np.uint8)
    region = head_and_neck(anatomy)
    for _ in range(int(rng.integers(FEWEST, MOST + 1))):
        beside = labels.max() == 1 or (labels.max() > 1 and rng.random() < TOUCHING_SHARE)
        volume_ml = float(np.exp(rng.uniform(np.log(MIN_ML), np.log(MAX_ML))))
        place_lesion(activity, labels, anatomy, region, volume_ml, beside, rng)
    return labels


def head_and_neck(anatomy: Anatomy) -> NDArray[np.bool_]:
    """Where the middle of a lesion may lie: soft tissue below and beside the brain, near the middle of the slice."""
    dk, dj, di = anatomy.spacing_mm
    brain_bottom = int(np.flatnonzero((anatomy.tissues == Tissue.BRAIN).any((1, 2)))[0])
    lungs_top = int(np.flatnonzero((anatomy.tissues == Tissue.LUNGS).any((1, 2))).max(initial=0))
    low = max(brain_bottom + round(LOWEST_MM / dk), lungs_top - round(BELOW_LUNGS_TOP_MM / dk), 0)
    region = np.zeros(anatomy.tissues.shape, dtype=bool)
    for k in range(low, min(brain_bottom + round(HIGHEST_MM / dk), len(region))):
        j, i = ndimage.center_of_mass(anatomy.tissues[k] != Tissue.AIR)
        away_mm = np.hypot(
            (np.arange(region.shape[1])[:, None] - j) * dj, (np.arange(region.shape[2])[None, :] - i) * di
        )
        region[k] = (away_mm < FARTHEST_MM) & np.isin(anatomy.tissues[k], (Tissue.SOFT, Tissue.HEAD_GLANDS))
    return region


def place_lesion(
    activity: NDArray[np.float32],
    labels: NDArray[np.uint8],
    anatomy: Anatomy,
    region: NDArray[np.bool_],
    volume_ml: float,
    beside: bool,
    rng: np.random.Generator,
) -> None:
    """Paint one lesion of about a volume and label it, where one of some tries finds room.

    Args:
        activity: SUV (k, j, i), changed in place.
        labels: lesions so far on the same grid, changed in place.
        anatomy: the tissues.
        region: where its middle may lie.
        volume_ml: drawn volume.
        beside: whether it touches another lesion; else it keeps away from all.
        rng: source of randomness.
    """
    spacing = np.array(anatomy.spacing_mm)
    radius_mm = _radius_mm(volume_ml)
    places = np.argwhere(region)
    reach = np.ceil((2.5 * radius_mm + LESION_GAP_MM) / spacing).astype(int)
    for _ in range(TRIES):
        other = int(rng.integers(1, labels.max() + 1)) if beside else 0
        place = places[rng.integers(len(places))]
        if beside:
            place = _place_beside(labels == other, radius_mm, spacing, rng)
            if (place < 0).any() or (place >= region.shape).any() or not region[tuple(place)]:
                continue
        low, high = np.maximum(place - reach, 0), np.minimum(place + reach + 1, region.shape)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        k, j, i = (int(n) for n in high - low)
        mask = lesion_shape((k, j, i), place - low, radius_mm, spacing, rng)
        mask = largest_part(mask & np.isin(anatomy.tissues[box], HOSTS) & (labels[box] == 0))
        near = ndimage.binary_dilation(mask) if beside else _within(mask, LESION_GAP_MM, spacing)
        if (labels[box][near] == other).any() if beside else not labels[box][near].any():
            ml = float(np.count_nonzero(mask) * spacing.prod() / 1000)
            if MIN_ML <= ml <= MAX_ML and 1 / VOLUME_FACTOR < ml / volume_ml < VOLUME_FACTOR:
                lowest = max(MIN_SUV, MIN_CONTRAST * float(np.median(activity[box][mask])))
                suv = float(np.exp(rng.uniform(np.log(lowest), np.log(MAX_SUV))))
                activity[box][mask] = lesion_uptake(mask, suv, radius_mm, spacing, rng)[mask]
                labels[box][mask] = labels.max() + 1
                return


def touching_labels(labels: NDArray) -> set[int]:
    """The labels that share a face with another one."""
    found: set[int] = set()
    for axis in range(3):
        rows = np.moveaxis(labels, axis, 0)
        first, second = rows[:-1], rows[1:]
        faces = (first > 0) & (second > 0) & (first != second)
        found |= {int(label) for side in (first, second) for label in np.unique(side[faces])}
    return found


def _place_beside(other: NDArray[np.bool_], radius_mm: float, spacing: NDArray, rng: np.random.Generator) -> NDArray:
    """The middle of a lesion whose rim would overlap that of another one a little, in a random direction."""
    voxels = np.argwhere(other)
    direction = rng.normal(size=3)
    other_mm = _radius_mm(len(voxels) * float(spacing.prod()) / 1000)
    distance_mm = (radius_mm + other_mm) * rng.uniform(0.75, 1.0)
    return np.rint(voxels.mean(0) + direction / np.linalg.norm(direction) * distance_mm / spacing).astype(int)


def _radius_mm(volume_ml: float) -> float:
    """Radius of the ball of a volume."""
    return float((3000 * volume_ml / (4 * np.pi)) ** (1 / 3))


def _within(mask: NDArray[np.bool_], distance_mm: float, spacing: NDArray) -> NDArray[np.bool_]:
    return ndimage.distance_transform_edt(~mask, sampling=spacing) < distance_mm


def _measured(phantom: Phantom, name: str, backend: Backend, arguments: argparse.Namespace) -> dict[str, list[Target]]:
    """The targets of a phantom, clicked in the model and by the threshold methods, with whether they touch another."""
    with TemporaryDirectory() as folder:
        image, labels = Path(folder) / "pet.nii.gz", Path(folder) / "lesions.nii.gz"
        write_volume(phantom.image, image)
        write_volume(phantom.lesions, labels)
        result = evaluate(
            [Case(name, image, labels)],
            sessions_over(backend),
            EvaluationSettings(arguments.clicks, seed=arguments.seed, baselines=True),
            model=arguments.model,
        )
    methods = {arguments.model: result.targets, **dict(result.baselines())}
    touching = touching_labels(phantom.lesions.array_kji)
    return {m: [{**t.to_json(), "touching": t.target.label in touching} for t in rows] for m, rows in methods.items()}


def _summary(targets: list[Target], seed: int) -> dict[str, Any]:
    """Dice of each group after each click; None where a group has no target."""
    groups = {name: [t for t in targets if belongs(t)] for name, belongs in GROUPS.items()}
    return {name: {"count": len(group), "dice": _dice(group, seed)} for name, group in groups.items()}


def _dice(group: list[Target], seed: int) -> dict[str, list[Any]] | None:
    if not group:
        return None
    curves, cases = np.array([t["dice"] for t in group], dtype=float), [t["case"] for t in group]
    steps = [step.to_json() for step in describe_columns(curves, cases, seed)]
    return {key: [step[key] for step in steps] for key in steps[0]}


def _table(summary: dict[str, dict[str, Any]], model: str) -> str:
    """Mean Dice and its 95 % bootstrap interval: a row per click and baseline, a column per group."""
    counts = [f"{name} ({group['count']})" for name, group in summary[model].items()]
    rows = [["mean Dice (95 % CI)", "clicks", *counts], ["---"] * (len(counts) + 2)]
    for name, groups in summary.items():
        last = len(groups["all"]["dice"]["mean"])
        for click in [n for n in SHOWN_CLICKS if n <= last]:
            rows.append([name, f"{click}", *(_cell(group["dice"], click) for group in groups.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(dice: dict[str, Any] | None, click: int) -> str:
    if dice is None:
        return "-"
    mean, (low, high) = dice["mean"][click - 1], dice["ci95"][click - 1]
    return f"{mean:.3f} ({low:.3f} to {high:.3f})" if low is not None else f"{mean:.3f}"


if __name__ == "__main__":
    main()
