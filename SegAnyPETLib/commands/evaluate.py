"""``seganypet evaluate``: a model, a simulated user and reference masks become a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from SegAnyPETLib import __version__
from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.commands.arguments.evaluate import EvaluateOptions
from SegAnyPETLib.commands.backends import ModelOptions, model_options, open_backend
from SegAnyPETLib.commands.outputs import check_output, write_json
from SegAnyPETLib.commands.parallel import Failure, Jobs, jobs_of, spread
from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.evaluation.evaluate import CaseResult, Settings, evaluate, evaluate_case, sessions_over, summarised
from SegAnyPETLib.evaluation.manifest import Case, read_manifest
from SegAnyPETLib.evaluation.report import report


@dataclass(frozen=True)
class EvaluateCase:
    """The evaluation of one case, in any process.

    Attributes:
        model: what is evaluated.
        settings: how targets are clicked.
    """

    model: ModelOptions
    settings: Settings

    def open(self) -> None:
        """Load the model."""
        self.model.opened()

    def __call__(self, case: Case) -> tuple[CaseResult, dict[str, str]]:
        """What was measured, and what with."""
        backend = self.model.opened()
        return evaluate_case(case, sessions_over(backend), self.settings), _made_with(backend)


def run(options: EvaluateOptions) -> None:
    """Evaluate, write the report and print its table.

    Raises:
        InputError: the manifest or one of its cases cannot be used; nothing is written.
        SegAnyPETError: the report cannot be written.
    """
    check_output(options.output, [".json"], [options.manifest])
    cases = read_manifest(options.manifest.absolute())  # processes elsewhere read its files
    settings = Settings(options.clicks, options.robot, options.seed, options.baselines)
    jobs = jobs_of(options.model, options.jobs)
    model = model_options(options.model, options.jobs, jobs.threads)
    if jobs.here:
        result, made_with = _here(model, cases, settings)
    else:
        result, made_with = _spread(EvaluateCase(model, settings), cases, jobs)
    write_json(result | made_with | {"seganypet": __version__}, options.output)
    print(report(result))
    print(f"report  {options.output}")


def _here(model: ModelOptions, cases: Sequence[Case], settings: Settings) -> tuple[dict[str, Any], dict[str, str]]:
    backend = open_backend(model)
    with tqdm(total=1.0, bar_format="{l_bar}{bar}| {elapsed}<{remaining}", disable=None, leave=False) as bar:

        def show(part: float, case: str) -> None:
            bar.set_description(case, refresh=False)
            bar.update(part - bar.n)

        result = evaluate(
            cases,
            sessions_over(backend),
            model=model.model,
            clicks=settings.clicks,
            robot=settings.robot,
            seed=settings.seed,
            baselines=settings.baselines,
            progress=show,
        )
    return result, _made_with(backend)


def _spread(work: EvaluateCase, cases: Sequence[Case], jobs: Jobs) -> tuple[dict[str, Any], dict[str, str]]:
    """The same by many processes, from the cases in their order."""
    found: dict[int, CaseResult] = {}
    made_with: dict[str, str] = {}
    for number, outcome in spread(work, cases, jobs):
        if isinstance(outcome, Failure):
            raise outcome.error(cases[number].id)
        found[number], used = outcome
        if made_with and made_with != used:
            raise SegAnyPETError("the machines of the Ray cluster run other weights or devices; install the same ones")
        made_with = used
    return summarised([found[number] for number in sorted(found)], work.model.model, work.settings), made_with


def _made_with(backend: Backend) -> dict[str, str]:
    return {"weights_sha256": backend.spec.sha256, "device": backend.device}
