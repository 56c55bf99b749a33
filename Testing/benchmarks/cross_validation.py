"""Cross-validation on real cases: each case is clicked by a model that was not fitted on it.

    python Testing/benchmarks/cross_validation.py --data DATA --runs RUNS --output cv.json --train \\
        --recipe Resources/recipes/lite_mixed.yaml Resources/recipes/lite.yaml

A recipe, named NAME, gives the recipes of three folds: the same but that they leave out every third case and are named
NAME_fold0, NAME_fold1 and NAME_fold2. Several recipes are stages: each fold starts from its own earlier stage, and the
last one is evaluated. With `--train` the folds whose RUNS/NAME_foldN.safetensors is missing, or is that of a run that
was stopped, are trained first; the run that the first recipe starts from must lie in RUNS, and must not have seen a
real case. Without `--train` they are an error. Weights of these names are taken as they are, whatever made them. Prints
all folds together, beside the threshold methods, and the mean Dice of each fold.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.evaluation.evaluate import evaluate
from SegAnyPETLib.evaluation.manifest import Case
from SegAnyPETLib.evaluation.report import SHOWN_CLICKS, report, to_json
from SegAnyPETLib.evaluation.results import Evaluation
from SegAnyPETLib.evaluation.sessions import sessions_over
from SegAnyPETLib.evaluation.settings import EvaluationSettings
from SegAnyPETLib.evaluation.statistics.summary import summarise
from SegAnyPETLib.training.recipe import Recipe
from SegAnyPETLib.training.recipe_file import read_recipe
from SegAnyPETLib.training.trainer import train
from SegAnyPETLib.training.windows.dataset import case_names, fold_names

FOLDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, required=True, nargs="+", help="stages, in their order")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True, help="folder of weights files")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--train", action="store_true", help="train the folds that have no weights yet")
    parser.add_argument("--device", default="cpu", help="where to train and to evaluate (default: cpu)")
    parser.add_argument("--robot", choices=("ideal", "noisy"), default="ideal")
    parser.add_argument("--clicks", type=int, default=10)
    parser.add_argument("--fold", type=int, action="append", choices=range(FOLDS), help="only this fold; repeatable")
    parser.add_argument("--cases", type=int, help="of each fold only the first few cases, to try it out")
    arguments = parser.parse_args()

    stages = [read_recipe(path, arguments.data) for path in arguments.recipe]
    if not all(stage.real_cases for stage in stages):
        raise InputError("a recipe has no real_cases, so there is nothing to validate on")
    recipe, chosen = stages[-1], sorted(set(arguments.fold or range(FOLDS)))
    runs = [fold_recipe(stage, fold, stages) for fold in chosen for stage in stages]
    wanting = {run.name: missing for run in runs if (missing := lacks(run, arguments.runs))}
    folds = [run for run in runs if run.name.startswith(f"{recipe.name}_fold")]
    if any(fold.name in wanting for fold in folds) and not arguments.train:
        raise InputError(f"{'; '.join(wanting.values())}; add --train to train them (or --fold for the others only)")
    start = arguments.runs / f"{stages[0].start_from}.safetensors"
    if wanting and stages[0].start_from and not start.is_file():
        raise InputError(f"{start} is missing, from which the folds start; train {stages[0].start_from} first")
    for run in runs:
        if arguments.train and run.name in wanting:
            train(run, arguments.runs, arguments.device, resume=(arguments.runs / f"{run.name}.pt").is_file())
    results = {fold.fold: evaluate_fold(fold, arguments) for fold in folds}
    title = f"{recipe.name}, {FOLDS}-fold cross-validation"
    if len(folds) < FOLDS:
        title += f", fold {' and '.join(str(fold) for fold in results)} alone"
    whole = pooled(list(results.values()), title)
    by_fold = {f"{fold}": summarise(result.targets).to_json() for fold, result in results.items()}
    arguments.output.write_text(json.dumps(to_json(whole) | {"folds": by_fold}, indent=1))
    print(report(whole))
    print(fold_table(results))


def fold_recipe(recipe: Recipe, fold: int, stages: list[Recipe]) -> Recipe:
    """The recipe that leaves out one fold of the real cases, and starts from an earlier stage that did so too."""
    start = recipe.start_from
    if start in {stage.name for stage in stages}:
        start = f"{start}_fold{fold}"
    return replace(recipe, name=f"{recipe.name}_fold{fold}", folds=FOLDS, fold=fold, start_from=start)


def lacks(recipe: Recipe, runs: Path) -> str:
    """What the weights of a recipe lack, "" where they are there.

    A run writes its weights at every checkpoint, so its log (if it lies beside them) tells whether it came to its end.
    """
    weights, log = runs / f"{recipe.name}.safetensors", runs / f"{recipe.name}.csv"
    if not weights.is_file():
        return f"{weights} is missing"
    if log.is_file():
        with log.open(newline="") as file:
            steps = max((int(row["step"]) for row in csv.DictReader(file)), default=0)
        if steps < recipe.steps:
            return f"{weights} is that of a run stopped at step {steps} of {recipe.steps}"
    return ""


def evaluate_fold(recipe: Recipe, arguments: argparse.Namespace) -> Evaluation:
    """Click the cases that a fold's recipe leaves out, by its model."""
    fitted, folder = fold_names(recipe), Path(recipe.real_cases)
    left_out = [name for name in case_names(recipe) if name not in fitted][: arguments.cases]
    cases = [Case(n, folder / n / "PET_image.nii.gz", folder / n / "PET_mask.nii.gz") for n in left_out]
    backend = load_backend(str(arguments.runs / f"{recipe.name}.safetensors"), arguments.device)
    with tqdm(total=100, desc=recipe.name, bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}") as bar:

        def progress(part: float, case: str) -> None:
            bar.set_postfix_str(case, refresh=False)
            bar.update(100 * part - bar.n)

        return evaluate(
            cases,
            sessions_over(backend),
            EvaluationSettings(arguments.clicks, arguments.robot, baselines=True),
            model=recipe.name,
            progress=progress,
        )


def pooled(results: list[Evaluation], model: str) -> Evaluation:
    """One evaluation of the cases of several."""
    return replace(results[0], model=model, cases=tuple(case for result in results for case in result.cases))


def fold_table(results: dict[int, Evaluation]) -> str:
    """Mean Dice of each fold after some clicks, as Markdown."""
    clicks = next(iter(results.values())).steps[-1]
    shown = sorted({n for n in SHOWN_CLICKS if n < clicks} | {clicks})
    rows = [["fold", "targets", *(f"Dice after {n}" for n in shown)], ["---"] * (len(shown) + 2)]
    for fold, result in results.items():
        group = summarise(result.targets).all
        assert group is not None
        means = (group.curves["dice"][n - 1].mean for n in shown)
        rows.append([f"{fold}", f"{group.count}", *(f"{mean:.3f}" for mean in means)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        raise SystemExit(f"cross_validation: {error}") from error
