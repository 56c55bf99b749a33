"""Proposals in simulated whole-body disease: what a reader still has to do, and how right the total volume is then.

    python Testing/benchmarks/whole_body.py --data ../shared/data --output whole_body.json [--refine]

Bodies are organ maps that training left out, with 1 to 120 lesions, and those with real lesion masks. The reader takes
all that scores 0.5 and more in one action, then corrects each wrong decision about what scores 0.1 and more (2 s), and
clicks each lesion above 1 ml that is still missing (4 s). Beside it: SUV 4.0 without a score (everything is accepted at
once and what is false rejected, 2 s each), and one click for each lesion (4 s).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from left_out_maps import STRIDE
from proposal_kinds import coarse
from scipy import ndimage

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.pet.proposals.criteria import cut_of
from SegAnyPETLib.pet.proposals.hotspots import Proposal, propose
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.refinement import refine
from SegAnyPETLib.simulation.anatomy import anatomy_from_organs
from SegAnyPETLib.simulation.lesions import lesion_uptake
from SegAnyPETLib.simulation.painting import paint
from SegAnyPETLib.simulation.phantom import Phantom, make_phantom, scan_phantom
from SegAnyPETLib.simulation.tissues import draw_uptake
from SegAnyPETLib.training.windows.dataset import split_organ_maps
from SegAnyPETLib.volume.fitting import fitted
from SegAnyPETLib.volume.io import read_labels

CRITERIA = {"fdg": ("contrast", "suv4", "suv2.5", "41%"), "psma": ("contrast", "psma3", "41%")}
MAX_LESIONS = 120
#: Lesions of at least this volume must be found.
LARGE_ML = 1.0
ACCEPT_FROM = 0.5
SHOWN_FROM = 0.1
SECONDS_PER_DECISION = 2.0
SECONDS_PER_CLICK = 4.0
#: A lesion is found if a proposal holds this share of it, or has its maximum in it.
FOUND_SHARE = 0.25


def phantoms(data: Path, maps: int, skip: int) -> Iterator[tuple[str, str, Phantom]]:
    """Name, tracer and phantom of each simulated patient."""
    _, left_out = split_organ_maps(data / "organ_maps", STRIDE)
    for seed, path in enumerate(left_out[skip : skip + maps], start=skip):
        labels = coarse(read_labels(path))
        for tracer in CRITERIA:
            count = int(np.exp(np.random.default_rng((seed, 1)).uniform(0, np.log(MAX_LESIONS + 1))))
            yield path.name[:8], tracer, make_phantom(1000 + seed, labels, tracer, max(1, count))


def real_masks(data: Path) -> Iterator[tuple[str, str, Phantom]]:
    """The same for the real lesion masks, on the organ maps of their patients."""
    for seed, path in enumerate(sorted((data / "lesion_masks").glob("*.nii.gz"))):
        organs = read_labels(data / "organ_maps" / path.name)
        mask = coarse(fitted(read_labels(path), organs))
        rng = np.random.default_rng(seed)
        # Organs and lesions go through one crop: lesions travel as labels above those of the organs.
        joined = coarse(organs).array_kji.astype(np.int16)
        anatomy = anatomy_from_organs(coarse(organs), rng)
        lesions = placed(mask.array_kji > 0, joined, anatomy.tissues)
        activity = paint(anatomy.tissues, draw_uptake("fdg", rng), anatomy.spacing_mm, rng)
        labels, count = ndimage.label(lesions, np.ones((3, 3, 3)))
        for label in range(1, min(count, 255) + 1):
            part = labels == label
            suv = float(np.exp(rng.uniform(np.log(4), np.log(20))))
            activity[part] = lesion_uptake(part, suv, 10.0, np.array(anatomy.spacing_mm), rng)[part]
        yield path.name[:8], "fdg", scan_phantom(anatomy, activity, labels.astype(np.uint8), rng)


def placed(mask_kji: np.ndarray, organs_kji: np.ndarray, tissues_kji: np.ndarray) -> np.ndarray:
    """Bring a mask to the cropped and turned grid of an anatomy, by where the organs came to lie."""
    for flips in np.ndindex(2, 2, 2):
        axes = tuple(axis for axis in range(3) if flips[axis])
        turned = np.flip(organs_kji, axes)
        low = [int(np.flatnonzero((turned > 0).any(axis=tuple({0, 1, 2} - {a})))[0]) for a in range(3)]
        organ = (tissues_kji > 0) & (tissues_kji <= 10)
        there = [int(np.flatnonzero(organ.any(axis=tuple({0, 1, 2} - {a})))[0]) for a in range(3)]
        moved = np.zeros(tissues_kji.shape, bool)
        check = np.zeros(tissues_kji.shape, organs_kji.dtype)
        source, target = [], []
        for axis in range(3):
            shift = there[axis] - low[axis]
            start = max(0, -shift)
            end = min(turned.shape[axis], tissues_kji.shape[axis] - shift)
            source.append(slice(start, end))
            target.append(slice(start + shift, end + shift))
        moved[tuple(target)] = np.flip(mask_kji, axes)[tuple(source)]
        check[tuple(target)] = turned[tuple(source)]
        if np.array_equal(np.where(organ, tissues_kji, 0), np.where(organ, check, 0)):
            return moved
    raise SystemExit("the lesion mask does not fit its organ map")


def judged(phantom: Phantom, proposals: tuple[Proposal, ...]) -> tuple[list[set[int]], list[bool]]:
    """The lesions that each proposal finds, and whether it is disease."""
    sizes = np.bincount(phantom.lesions.array_kji.ravel())
    found, disease = [], []
    for proposal in proposals:
        region = proposal.candidate.region
        held = np.bincount(phantom.lesions.array_kji[region.slices][region.array_kji], minlength=sizes.size)
        hottest = int(phantom.lesions.array_kji[phantom.image.nearest_kji(proposal.candidate.hottest_ras)])
        lesions = {n for n in range(1, sizes.size) if sizes[n] and held[n] >= FOUND_SHARE * sizes[n]}
        found.append(lesions | ({hottest} - {0}))
        disease.append(hottest > 0 or held[1:].sum() > 0.5 * held.sum())
    return found, disease


def measured(phantom: Phantom, proposals: tuple[Proposal, ...], backend: Backend | None) -> dict[str, float]:
    """What the proposals of one scan are worth."""
    found, disease = judged(phantom, proposals)
    shown = [n for n, p in enumerate(proposals) if p.disease >= SHOWN_FROM]
    accepted = [n for n in shown if proposals[n].disease >= ACCEPT_FROM]
    large = {truth.label for truth in phantom.truth if truth.volume_ml >= LARGE_ML}
    volumes = {truth.label: truth.volume_ml for truth in phantom.truth}
    seen = set().union(*(found[n] for n in range(len(proposals)))) if proposals else set()
    offered = set().union(*(found[n] for n in shown)) if shown else set()
    wrong = sum(disease[n] != (n in set(accepted)) for n in shown)
    missing = large - offered
    kept = [n for n in shown if disease[n]]
    mtv_ml = sum(proposals[n].candidate.volume_ml for n in kept) + sum(volumes[label] for label in missing)
    total_ml = sum(volumes.values())
    result = {
        "lesions": len(volumes),
        "large": len(large),
        "proposals": len(proposals),
        "recall_large": len(large & seen) / max(len(large), 1),
        "recall_large_shown": len(large & offered) / max(len(large), 1),
        "true_shown": sum(disease[n] for n in shown),
        "false_shown": sum(not disease[n] for n in shown),
        "false_all": sum(not d for d in disease),
        "merged": sum(len(found[n]) > 1 for n in kept),
        "split": sum(max(0, sum(label in found[n] for n in kept) - 1) for label in volumes),
        "actions": 1 + wrong + len(missing),
        "minutes": (SECONDS_PER_DECISION * (1 + wrong) + SECONDS_PER_CLICK * len(missing)) / 60,
        "minutes_without_score": (
            SECONDS_PER_DECISION * (1 + sum(not d for d in disease)) + SECONDS_PER_CLICK * len(large - seen)
        )
        / 60,
        "minutes_of_clicks": SECONDS_PER_CLICK * len(volumes) / 60,
        "mtv_error": mtv_ml / total_ml - 1,
        "mtv_error_before_actions": sum(proposals[n].candidate.volume_ml for n in accepted) / total_ml - 1,
    }
    if backend is not None and kept:
        lesions = [(proposals[n].candidate.region, Point(proposals[n].candidate.hottest_ras)) for n in kept]
        avoid = [Point(proposals[n].candidate.hottest_ras) for n in range(len(proposals)) if not disease[n]]
        refined = refine(phantom.image, backend, lesions, avoid)
        refined_ml = sum(one.mask.voxels for one in refined) * phantom.image.voxel_ml
        result["mtv_error_refined"] = (refined_ml + sum(volumes[label] for label in missing)) / total_ml - 1
        result["kept_as_proposed"] = sum(one.session is None for one in refined)
    return result


def summary(rows: list[dict]) -> dict[str, float]:
    """All scans together: lesions are pooled, errors are medians of absolute ones."""
    large = sum(row["large"] for row in rows)
    found = {
        "scans": len(rows),
        "lesions": sum(row["lesions"] for row in rows),
        "recall_large": sum(row["recall_large"] * row["large"] for row in rows) / large,
        "recall_large_shown": sum(row["recall_large_shown"] * row["large"] for row in rows) / large,
        "false_per_true_shown": sum(r["false_shown"] for r in rows) / max(sum(r["true_shown"] for r in rows), 1),
        "false_per_scan_all": float(np.mean([row["false_all"] for row in rows])),
        "actions_per_lesion": sum(row["actions"] for row in rows) / sum(row["lesions"] for row in rows),
        "within_10_percent": float(np.mean([abs(row["mtv_error"]) <= 0.1 for row in rows])),
        "within_a_third": float(np.mean([row["actions"] <= max(1, row["lesions"] / 3) for row in rows])),
    }
    for name in ("minutes", "minutes_without_score", "minutes_of_clicks"):
        found[name] = float(np.mean([row[name] for row in rows]))
    for name in ("mtv_error", "mtv_error_before_actions", "mtv_error_refined"):
        values = [row[name] for row in rows if name in row]
        if values:
            found[f"median_abs_{name}"] = float(np.median(np.abs(values)))
            found[f"median_{name}"] = float(np.median(values))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds organ_maps and lesion_masks")
    parser.add_argument("--output", type=Path, required=True, help="JSON file of the results")
    parser.add_argument("--maps", type=int, default=99, help="use this many maps at most")
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--refine", action="store_true", help="also with the model Lite")
    arguments = parser.parse_args()
    backend = load_backend("lite", threads=1) if arguments.refine else None
    groups: dict[str, list[dict]] = {}
    cases = [("simulated", phantoms(arguments.data, arguments.maps, arguments.skip))]
    cases.append(("real masks", real_masks(arguments.data)))
    for group, found in cases:
        for name, tracer, phantom in found:
            for criterion in CRITERIA[tracer]:
                proposals = propose(phantom.image, cut_of(criterion), tracer)
                key = f"{group}, {tracer}, {criterion}"
                groups.setdefault(key, []).append({"case": name} | measured(phantom, proposals, backend))
            print(name, tracer, len(phantom.truth), flush=True)
    results = {key: {"summary": summary(rows), "scans": rows} for key, rows in groups.items()}
    arguments.output.write_text(json.dumps(results, indent=1, default=float))
    for key, result in results.items():
        print(key, {name: round(value, 3) for name, value in result["summary"].items()})


if __name__ == "__main__":
    main()
