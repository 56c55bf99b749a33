"""``seganypet evaluate``: a model, a simulated user and reference masks become a report."""

from __future__ import annotations

import argparse

from tqdm import tqdm

from SegAnyPETLib import __version__
from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.commands.outputs import check_output, write_json
from SegAnyPETLib.evaluation.evaluate import evaluate, sessions_over
from SegAnyPETLib.evaluation.manifest import read_manifest
from SegAnyPETLib.evaluation.report import report


def run(arguments: argparse.Namespace) -> None:
    """Evaluate, write the report and print its table.

    Raises:
        InputError: the manifest or one of its cases cannot be used; nothing is written.
        SegAnyPETError: the report cannot be written.
    """
    check_output(arguments.output, [".json"], [arguments.manifest])
    cases = read_manifest(arguments.manifest)
    backend = load_backend(arguments.model, arguments.device, arguments.threads, arguments.precision)
    with tqdm(total=1.0, bar_format="{l_bar}{bar}| {elapsed}<{remaining}", disable=None, leave=False) as bar:

        def show(part: float, case: str) -> None:
            bar.set_description(case, refresh=False)
            bar.update(part - bar.n)

        result = evaluate(
            cases,
            sessions_over(backend),
            model=arguments.model,
            clicks=arguments.clicks,
            robot=arguments.robot,
            seed=arguments.seed,
            baselines=arguments.baselines,
            progress=show,
        )
    made_with = {"weights_sha256": backend.spec.sha256, "device": backend.device, "seganypet": __version__}
    write_json(result | made_with, arguments.output)
    print(report(result))
    print(f"report  {arguments.output}")
