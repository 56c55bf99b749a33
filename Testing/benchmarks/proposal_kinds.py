"""Fit the tables of `pet.proposals.kinds` to candidates in simulated scans of the organ maps that training uses.

    python Testing/benchmarks/proposal_kinds.py --data ../shared/data --output kinds.json

Prints the rows of the tables. Lesions are drawn by the simulator; a candidate is what its hottest voxel is.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from SegAnyPETLib.pet.proposals.criteria import cut_of
from SegAnyPETLib.pet.proposals.frame import body_frame
from SegAnyPETLib.pet.proposals.hotspots import appearance_of, regions_of_scan
from SegAnyPETLib.pet.proposals.proposal import candidate_of, paired_places
from SegAnyPETLib.simulation.phantom import Phantom, make_phantom
from SegAnyPETLib.simulation.tissues import Tissue
from SegAnyPETLib.training.windows.dataset import split_organ_maps
from SegAnyPETLib.volume.io import read_labels
from SegAnyPETLib.volume.volume import Volume

STRIDE = 8
VOXEL_MM = 4.0
CRITERIA = {"fdg": ("contrast", "suv4", "41%"), "psma": ("contrast", "psma3", "41%")}
NUMBERS = ("above_shoulders_mm", "left_mm", "anterior_mm", "log_volume_ml", "log_suv_max", "fill")
PAIRS = {"kidneys": "kidney", "head_glands": "head gland"}
#: A kind needs so many candidates to have a row.
MIN_COUNT = 12


def coarse(labels: Volume, voxel_mm: float = VOXEL_MM) -> Volume:
    """Every n-th voxel of a label map, so that they are about as large as given."""
    steps = np.maximum(1, np.rint(voxel_mm / labels.spacing_mm[::-1]).astype(int))
    matrix = labels.ijk_to_ras.copy()
    matrix[:3, :3] *= steps[::-1]
    return Volume(np.ascontiguousarray(labels.array_kji[:: steps[0], :: steps[1], :: steps[2]]), matrix)


def samples(phantom: Phantom, tracer: str) -> list[tuple[str, list[float | None]]]:
    """Kind and numbers of each candidate of a phantom."""
    found = []
    frame = body_frame(phantom.image)
    for criterion in CRITERIA[tracer]:
        regions = regions_of_scan(phantom.image, cut_of(criterion), max(1, round(0.2 / phantom.image.voxel_ml)))
        candidates = [candidate_of(phantom.image, region, frame) for region in regions]
        for candidate, paired in zip(candidates, paired_places(candidates), strict=True):
            appearance = appearance_of(replace(candidate, paired=paired))
            hottest = phantom.image.nearest_kji(candidate.hottest_ras)
            if phantom.lesions.array_kji[hottest]:
                kind = "lesion"
            else:
                kind = Tissue(int(phantom.organs.array_kji[hottest])).name.lower()
            found.append((kind, [getattr(appearance, name) for name in NUMBERS] + [float(paired)]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds organ_maps")
    parser.add_argument("--output", type=Path, required=True, help="JSON file of the samples")
    parser.add_argument("--every", type=int, default=1, help="use every n-th map")
    arguments = parser.parse_args()
    fitted, _ = split_organ_maps(arguments.data / "organ_maps", STRIDE)
    everything: dict[str, list] = {"fdg": [], "psma": []}
    for seed, path in enumerate(fitted[:: arguments.every]):
        labels = coarse(read_labels(path))
        for tracer in everything:
            lesions = int(np.random.default_rng(seed).integers(3, 40))
            everything[tracer] += samples(make_phantom(seed, labels, tracer, lesions), tracer)
    arguments.output.write_text(json.dumps(everything))
    for tracer, found in everything.items():
        print_rows(tracer, found)


def print_rows(tracer: str, found: list) -> None:
    """Print the table of a tracer."""
    by_kind = defaultdict(list)
    for kind, numbers in found:
        by_kind[row_name(kind, numbers[1])].append([np.nan if n is None else n for n in numbers])
    physiology = sum(len(rows) for kind, rows in by_kind.items() if kind != "lesion" and len(rows) >= MIN_COUNT)
    print(f'    "{tracer}": {{')
    for kind, rows in sorted(by_kind.items()):
        if len(rows) < MIN_COUNT:
            continue
        array = np.array(rows)
        weight = 1.0 if kind == "lesion" else len(rows) / physiology
        means, sds = np.nanmean(array[:, :6], axis=0), np.nanstd(array[:, :6], axis=0)
        paired = (array[:, 6].sum() + 1) / (len(rows) + 2)
        texts = [", ".join(f"{n:.3g}" for n in numbers) for numbers in (means, sds)]
        print(f'        "{kind}": Kind({weight:.3g}, ({texts[0]}), ({texts[1]}), {paired:.2g}),  # {len(rows)}')
    print("    },")


def row_name(kind: str, left_mm: float) -> str:
    """Name of a candidate's row: organs in pairs have one for each side."""
    if kind in PAIRS:
        return f"{'left' if left_mm > 0 else 'right'} {PAIRS[kind]}"
    return {"air": "bowel or other"}.get(kind, kind)


if __name__ == "__main__":
    main()
