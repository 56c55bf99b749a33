"""``seganypet evaluate``: a model, a simulated user and reference masks become a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from SegAnyPETLib import __version__
from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.commands.arguments.evaluate import EvaluateOptions
from SegAnyPETLib.commands.common.backends import ModelOptions, model_options
from SegAnyPETLib.commands.common.outputs import check_output, write_json
from SegAnyPETLib.commands.common.parallel import Failure, Jobs, jobs_of, spread
from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.evaluation.evaluate import evaluate_case, evaluation_of
from SegAnyPETLib.evaluation.manifest import Case, read_manifest
from SegAnyPETLib.evaluation.report import report, to_json
from SegAnyPETLib.evaluation.results import CaseResult, Evaluation
from SegAnyPETLib.evaluation.sessions import sessions_over
from SegAnyPETLib.evaluation.settings import EvaluationSettings
from SegAnyPETLib.volume.atomic import replacing


@dataclass(frozen=True)
class EvaluateCase:
    """The evaluation of one case, in any process.

    Attributes:
        model: what is evaluated.
        settings: how targets are clicked.
    """

    model: ModelOptions
    settings: EvaluationSettings

    def open(self) -> None:
        """Load the model."""
        self.model.opened()

    def __call__(self, case: Case) -> tuple[CaseResult, dict[str, str]]:
        """Return what was measured, and what with."""
        backend = self.model.opened()
        return evaluate_case(case, sessions_over(backend), self.settings), _made_with(backend)


def run(options: EvaluateOptions) -> None:
    """Evaluate, write the report and print its table.

    Raises:
        InputError: the manifest or all of its cases cannot be used; nothing is written.
        SegAnyPETError: the report cannot be written, or it lacks a case.
    """
    check_output(options.output, [".json"], [options.manifest])
    if options.html is not None:
        check_output(options.html, [".html"], [options.manifest])
    settings = EvaluationSettings(
        options.clicks, options.robot, options.seed, options.baselines, options.split_components
    )
    cases = read_manifest(options.manifest.absolute())  # processes elsewhere read its files
    jobs = jobs_of(options.model, options.jobs)
    model = model_options(options.model, options.jobs, jobs.threads)
    evaluation, made_with = _evaluated(EvaluateCase(model, settings), cases, jobs)
    write_json(to_json(evaluation) | made_with | {"seganypet": __version__}, options.output)
    print(report(evaluation))
    print(f"report  {options.output}")
    if options.html is not None:
        _write_page(evaluation, options.html)
    if evaluation.failed:
        message = f"{len(evaluation.failed)} of {len(cases)} cases could not be evaluated; the report names the reasons"
        raise SegAnyPETError(message)


def _write_page(evaluation: Evaluation, path: Path) -> None:
    from SegAnyPETLib.evaluation.page import page_of  # needs packages that a report without a page does not

    with replacing(path, ".html") as temporary:
        temporary.write_text(page_of(evaluation), encoding="utf-8")
    print(f"page    {path}")


def _evaluated(work: EvaluateCase, cases: Sequence[Case], jobs: Jobs) -> tuple[Evaluation, dict[str, str]]:
    """Evaluate in one or many processes; the results are in the order of the cases."""
    found: dict[int, CaseResult] = {}
    errors: dict[int, SegAnyPETError] = {}
    made_with: dict[str, str] = {}
    for number, outcome in spread(work, cases, jobs):
        if isinstance(outcome, Failure):
            errors[number] = outcome.error(cases[number].id)
            found[number] = CaseResult(cases[number].id, error=str(errors[number]))
            continue
        found[number], used = outcome
        if made_with and made_with != used:
            raise SegAnyPETError("the machines of the Ray cluster run other weights or devices; install the same ones")
        made_with = used
    if len(errors) == len(cases):
        raise errors[0]  # of the first case
    return evaluation_of([found[number] for number in sorted(found)], work.model.model, work.settings), made_with


def _made_with(backend: Backend) -> dict[str, str]:
    return {"weights_sha256": backend.spec.sha256, "device": backend.device}
