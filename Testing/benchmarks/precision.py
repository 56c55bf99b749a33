"""What bfloat16 changes: Dice between the masks of both precisions, on windows of real PET.

    python Testing/benchmarks/precision.py --data DATA --model lite
    python Testing/benchmarks/precision.py --data DATA --model random      # the published size, random weights

DATA/sts holds the cases (see the model card). Each is clicked once, in the deepest voxel of its reference.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from SegAnyPETLib.backend.protocol import TargetPrompts
from SegAnyPETLib.evaluation.metrics import dice
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.models.engine import Engine
from SegAnyPETLib.models.loading import load_model
from SegAnyPETLib.models.sam.predictor import untrained
from SegAnyPETLib.training.windows.dataset import read_case
from SegAnyPETLib.volume.interpolation import refined
from SegAnyPETLib.volume.window import Window

SPACING_MM = 4.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--cases", type=int, default=10)
    arguments = parser.parse_args()

    folders = sorted(p.parent for p in (arguments.data / "sts").glob("*/PET_image.nii.gz"))[: arguments.cases]
    answers = {p: _logits(arguments, p, folders) for p in ("fp32", "bf16")}
    overlaps, errors = [], []
    for exact, rounded in zip(answers["fp32"], answers["bf16"], strict=True):
        overlaps.append(dice(exact > 0, rounded > 0))
        errors.append(np.sqrt(np.mean((exact - rounded) ** 2) / np.mean(exact**2)))
    print(f"{arguments.model} on {arguments.device}, {len(folders)} windows")
    print(f"Dice between the masks of fp32 and bf16: mean {np.mean(overlaps):.4f}, least {min(overlaps):.4f}")
    print(f"relative RMS difference of the logits: median {np.median(errors):.4f}")


def _logits(arguments, precision, folders):
    model = untrained() if arguments.model == "random" else load_model(arguments.model)
    engine = Engine.on(model, arguments.device, None, precision)
    spacing_mm = float(np.clip(SPACING_MM, min(engine.spec.spacing_mm), max(engine.spec.spacing_mm)))
    return [_answer(engine, folder, spacing_mm) for folder in folders]


def _answer(engine, folder, spacing_mm):
    case = read_case(folder)
    click = RobotUser("ideal", 0).next_point(case.mask, None)
    window = Window.around(case.image, click.ras, engine.spec.size, spacing_mm)
    prompts = TargetPrompts(window.index_kji(np.array([click.ras])).astype(np.float32), np.array([True]))
    (answer,) = engine.predict(window.sample(case.image), spacing_mm, folder.name, [prompts])
    return refined(answer.logits_kji, window.size // len(answer.logits_kji))


if __name__ == "__main__":
    main()
