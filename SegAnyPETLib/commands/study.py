"""``seganypet study``: a reader study from the plan to the report."""

from __future__ import annotations

from SegAnyPETLib.commands.arguments.study import PlanStudy, StudyOptions
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.study.plan.checks import check_study
from SegAnyPETLib.study.plan.files import read_plan, read_study_manifest
from SegAnyPETLib.study.plan.folder import make_study
from SegAnyPETLib.study.plan.schedule import Reading, schedule


def run(options: StudyOptions) -> None:
    """Plan a study.

    Raises:
        InputError: a file cannot be used, or the design cannot answer its question.
        SegAnyPETError: a file cannot be written.
    """
    match options:
        case PlanStudy():
            _plan(options)


def _plan(options: PlanStudy) -> None:
    from SegAnyPETLib.study.plan.power import check_power, power_of

    plan, manifest = read_plan(options.plan), read_study_manifest(options.manifest)
    check_study(plan, manifest)
    power = check_power(plan, manifest)
    readings = schedule(plan, manifest)
    _print_schedule(readings)
    print(f"{str(power)[0].upper()}{str(power)[1:]} ({power.simulations} simulated studies).")
    none = power_of(plan, manifest, saving=0.0)
    print(f"Without any saving, one is claimed in {100 * none.share:.1f} % of studies (2.5 % are meant).")
    if options.output is not None:
        study = make_study(options.output, plan, manifest, readings, options.manifest.parent, str(power))
        print(f"written to {study.folder}; SHA-256 of the plan {study.plan_sha256}: register or send it to someone now")
    print(NOTICE)


def _print_schedule(readings: tuple[Reading, ...]) -> None:
    print("reader    period  day  no.  case              arm               order")
    for r in readings:
        order = "training" if r.training else r.order
        print(f"{r.reader:9} {r.period:6} {r.day:4} {r.position:4}  {r.case:16}  {r.arm:16}  {order}")
