"""``seganypet study``: a reader study from the plan to the report."""

from __future__ import annotations

from pathlib import Path

from SegAnyPETLib.commands.arguments.study import AnalyseStudy, CheckStudy, PlanStudy, PlayStudy, StudyOptions
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.study.log.check import check_logs
from SegAnyPETLib.study.log.progress import progress
from SegAnyPETLib.study.plan.checks import check_study
from SegAnyPETLib.study.plan.files import read_plan, read_study_manifest
from SegAnyPETLib.study.plan.folder import Study, make_study, open_study
from SegAnyPETLib.study.plan.schedule import Reading, schedule


def run(options: StudyOptions) -> None:
    """Plan a study, check it or analyse it.

    Raises:
        InputError: a file cannot be used, the design cannot answer its question, or a log was changed.
        SegAnyPETError: a file cannot be written.
    """
    match options:
        case PlanStudy():
            _plan(options)
        case CheckStudy():
            _check(open_study(options.study))
        case AnalyseStudy():
            report_on(open_study(options.study))
        case PlayStudy():
            _play(options)


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


def _check(study: Study) -> None:
    """Print the state of every log.

    Raises:
        InputError: a log is not as it was written.
    """
    logs = check_logs(study.logs)
    for log in logs:
        now = progress(log.events)
        planned = sum(reading.reader == log.path.stem for reading in study.readings)
        state = "sound" if log.sound else "NOT AS IT WAS WRITTEN"
        print(f"{log.path.name}: {state}, {len(log.events)} events, {len(now.finished)} of {planned} readings finished")
        print(f"  SHA-256 of the last event {log.sha256}")
        for note in log.notes:
            print(f"  {note}")
    missing = sorted(set(study.plan.readers) - {log.path.stem for log in logs})
    if missing:
        print(f"no log yet of: {', '.join(missing)}")
    print(NOTICE)
    faults = [fault for log in logs for fault in log.faults]
    if faults:
        raise InputError("; ".join(faults))


def report_on(study: Study) -> None:
    """Analyse a study and write its report.

    Raises:
        InputError: too few readings have a time, or a scan cannot be read.
        SegAnyPETError: a file cannot be written, or the model of the times does not converge.
    """
    from SegAnyPETLib.study.analyse import analyse
    from SegAnyPETLib.study.report.methods import SIMULATED, doubts, main_result
    from SegAnyPETLib.study.report.page import write_report

    results = analyse(study)
    page = write_report(results)
    if study.plan.simulated:
        print(SIMULATED)
    for line in (*main_result(results), *doubts(results)):
        print(line)
    print(f"{len(results.collected.timed)} of {results.collected.planned} planned readings analysed")
    print(f"report {page}, tables beside it")
    print(NOTICE)


def _play(options: PlayStudy) -> None:
    from tqdm import tqdm

    from SegAnyPETLib.commands.common.backends import model_options, open_backend
    from SegAnyPETLib.study.demo.play import play

    backend = open_backend(model_options(options.model))
    print(f"making {options.cases} phantoms, which two robots read in both arms ...")
    with tqdm(desc="readings", unit="reading", disable=None, leave=False) as bar:

        def show(done: int, whole: int) -> None:
            bar.total = whole
            bar.update(done - bar.n)

        model = Path(options.model.model).stem
        report_on(play(options.output, backend, options.cases, options.lesions, options.seed, model, show))
