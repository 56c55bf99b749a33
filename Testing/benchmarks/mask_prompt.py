"""A faultless mask as the only prompt: how much of it a model gives back.

    python Testing/benchmarks/mask_prompt.py --model lite
    python Testing/benchmarks/mask_prompt.py --model RUNS/sam_tiny.safetensors

Lesions and organs of simulated bodies that need no data; their seeds are none of training's. A model without zoom is
asked about targets that fit into its window. With `--gains` the mask prompts of the published architecture are made
with other logits inside and outside of the mask.
"""

from __future__ import annotations

import argparse

import numpy as np

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.evaluation.metrics import dice
from SegAnyPETLib.models.sam import inputs
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.simulation.phantom import make_phantom

#: Smaller targets say more of the window's voxels than of the model.
MIN_ML = 2.0
FIRST_SEED = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--bodies", type=int, default=4)
    parser.add_argument("--gains", type=float, nargs="*", default=[inputs.MASK_GAIN])
    arguments = parser.parse_args()

    backend = load_backend(arguments.model)
    side_mm = backend.spec.size * max(backend.spec.spacing_mm)
    targets = [t for seed in range(arguments.bodies) for t in _targets(FIRST_SEED + seed, side_mm)]
    print(f"{backend.spec.name}, {len(targets)} targets: Dice between the mask given and the mask that comes back")
    for gain in arguments.gains:
        inputs.MASK_GAIN = gain
        overlaps = [_returned(image, mask_kji, backend) for image, mask_kji in targets]
        print(
            f"gain {gain:5.1f}   mean {np.mean(overlaps):.3f}   median {np.median(overlaps):.3f}"
            f"   least {min(overlaps):.3f}"
        )


def _targets(seed, side_mm):
    """Lesions and organs of a body that are not too small and not larger than a window."""
    phantom = make_phantom(seed, lesions=6)
    for labels in (phantom.lesions, phantom.organs):
        for label in np.unique(labels.array_kji[labels.array_kji > 0]):
            mask_kji = labels.array_kji == label
            extent_mm = (np.ptp(np.argwhere(mask_kji), axis=0) + 1) * labels.spacing_mm[::-1]
            if np.count_nonzero(mask_kji) * labels.voxel_ml >= MIN_ML and extent_mm.max() < 0.9 * side_mm:
                yield phantom.image, mask_kji


def _returned(image, mask_kji, backend):
    session = InteractiveSession(image, backend)
    session.add_mask(mask_kji)
    return dice(session.mask_kji, mask_kji)


if __name__ == "__main__":
    main()
