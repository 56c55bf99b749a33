"""Cross-validation of Lite on real cases: each case is clicked by a model that was not fitted on it.

Train the folds first. Of the recipes in Resources/recipes, those that see real cases (lite_real.yaml, lite.yaml) run
once per fold, with `folds: 3` and `fold: N` added and `name` and `start_from` changed; the last is `lite_foldN`:

    seganypet train lite_foldN.yaml --data DATA --output RUNS
    python Testing/benchmarks/cross_validation.py --recipe lite_fold0.yaml --data DATA --runs RUNS --output cv.json
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.evaluation.curves import summarise
from SegAnyPETLib.evaluation.evaluate import evaluate, plain, sessions_over
from SegAnyPETLib.evaluation.manifest import Case
from SegAnyPETLib.evaluation.report import report
from SegAnyPETLib.training.dataset import case_names, fold_names
from SegAnyPETLib.training.recipe import read_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--robot", choices=("ideal", "noisy"), default="ideal")
    parser.add_argument("--clicks", type=int, default=10)
    parser.add_argument("--fold", type=int, action="append", help="only these folds")
    arguments = parser.parse_args()

    recipe = read_recipe(arguments.recipe, arguments.data)
    results = []
    for fold in tqdm(arguments.fold or range(recipe.folds), unit="fold"):
        one = replace(recipe, fold=fold)
        left_out = [name for name in case_names(one) if name not in fold_names(one)]
        folder = Path(one.real_cases)
        cases = [Case(n, folder / n / "PET_image.nii.gz", folder / n / "PET_mask.nii.gz") for n in left_out]
        backend = load_backend(str(arguments.runs / f"lite_fold{fold}.safetensors"))
        results.append(
            evaluate(
                cases,
                sessions_over(backend),
                model=f"lite, {recipe.folds}-fold cross-validation",
                clicks=arguments.clicks,
                robot=arguments.robot,
                baselines=True,
            )
        )
    whole = results[0]
    for result in results[1:]:
        whole["targets"] += result["targets"]
        for name, baseline in result["baselines"].items():
            whole["baselines"][name]["targets"] += baseline["targets"]
    for part in (whole, *whole["baselines"].values()):
        part["summary"] = plain(summarise(part["targets"]))
    arguments.output.write_text(json.dumps(whole, indent=1))
    print(report(whole))


if __name__ == "__main__":
    main()
