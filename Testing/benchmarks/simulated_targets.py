"""Quality of a model on simulated PET of organ maps that training left out: organs, and lesions by size.

    python Testing/benchmarks/simulated_targets.py --data DATA --output simulated.json

DATA/organ_maps holds the maps; every eighth, from the first, is left out of training (`organ_map_stride: 8`).
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from left_out_maps import benchmark_parser, chosen_maps
from tqdm import tqdm

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.evaluation.evaluate import evaluate
from SegAnyPETLib.evaluation.manifest import Case
from SegAnyPETLib.evaluation.sessions import sessions_over
from SegAnyPETLib.evaluation.settings import EvaluationSettings
from SegAnyPETLib.simulation.phantom import Phantom, make_phantom
from SegAnyPETLib.simulation.tissues import Tissue
from SegAnyPETLib.volume.io import read_labels, write_volume

ORGANS = (Tissue.LIVER, Tissue.HEART, Tissue.BLADDER, Tissue.BRAIN, Tissue.KIDNEYS, Tissue.SPLEEN)
#: Organs of which a scan shows less than this are left out.
MIN_ML = 20.0


def main() -> None:
    arguments = benchmark_parser(__doc__, skip=0).parse_args()

    backend = load_backend(arguments.model)
    targets: dict[str, list[dict[str, Any]]] = {"organs": [], "lesions": []}
    for seed, path in tqdm(chosen_maps(arguments), unit="map"):
        tracer = "psma" if seed % 3 == 2 else "fdg"
        phantom = make_phantom(1000 + seed, read_labels(path), tracer, lesions=5)
        with TemporaryDirectory() as folder:
            for kind, cases in _cases(phantom, Path(folder), f"{path.name[:10]} {tracer}").items():
                settings = EvaluationSettings(arguments.clicks)
                found = evaluate(cases, sessions_over(backend), settings, model=arguments.model)
                targets[kind] += [target.to_json() for target in found.targets]
    arguments.output.write_text(json.dumps(targets, indent=1))
    print(f"{'':18}targets  mean Dice after 1 to {arguments.clicks} clicks")
    for organ in ORGANS:
        _print(organ.name.lower().replace("_", " "), [t for t in targets["organs"] if t["label"] == organ])
    _print("all organs", targets["organs"])
    _print("lesions < 5 ml", [t for t in targets["lesions"] if t["volume_ml"] < 5])
    _print("lesions >= 5 ml", [t for t in targets["lesions"] if t["volume_ml"] >= 5])


def _cases(phantom: Phantom, folder: Path, name: str) -> dict[str, list[Case]]:
    """The phantom as two cases on disk: its large enough organs, and its lesions."""
    labels = phantom.organs.array_kji
    shown = [o for o in ORGANS if np.count_nonzero(labels == o) * phantom.organs.voxel_ml >= MIN_ML]
    organs = phantom.organs.with_array(np.where(np.isin(labels, shown), labels, 0).astype(np.uint8))
    volumes = {"pet": phantom.image, "organs": organs, "lesions": phantom.lesions}
    for kind, volume in volumes.items():
        write_volume(volume, folder / f"{kind}.nii.gz")
    return {kind: [Case(name, folder / "pet.nii.gz", folder / f"{kind}.nii.gz")] for kind in ("organs", "lesions")}


def _print(title: str, targets: list[dict[str, Any]]) -> None:
    means = np.mean([t["dice"] for t in targets], axis=0) if targets else []
    print(f"{title:18}{len(targets):7}  {'  '.join(f'{m:.3f}' for m in means)}")


if __name__ == "__main__":
    main()
