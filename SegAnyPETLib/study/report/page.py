"""The report as one page."""

from __future__ import annotations

from pathlib import Path

from SegAnyPETLib.reports.page import Page, Section, Table, render, svg_of
from SegAnyPETLib.study.analyse import Results
from SegAnyPETLib.study.analysis.other_effects import MEANING
from SegAnyPETLib.study.plan.folder import REPORT
from SegAnyPETLib.study.report import figures
from SegAnyPETLib.study.report.methods import SIMULATED, checklist, doubts, main_result, methods
from SegAnyPETLib.study.report.tables import tables, write_tables
from SegAnyPETLib.volume.atomic import replacing

PAGE = "report.html"


def write_report(results: Results) -> Path:
    """Write page and tables into the study's folder; equal results give equal files.

    Returns:
        The page.

    Raises:
        SegAnyPETError: a file cannot be written.
    """
    folder = results.study.folder / REPORT
    folder.mkdir(exist_ok=True)
    write_tables(results, folder)
    with replacing(folder / PAGE, ".html") as temporary:
        temporary.write_text(page_of(results), encoding="utf-8")
    return folder / PAGE


def page_of(results: Results) -> str:
    """Return the page."""
    listed = tables(results)
    plan = results.study.plan
    simulated = (SIMULATED,) if plan.simulated else ()
    sections = [
        Section("Result", (*simulated, *main_result(results), *doubts(results))),
        Section("Flow of readings", (), listed["flow"], svg_of(figures.flow(results))),
        Section("Savings", (), listed["savings"], svg_of(figures.forest(results))),
        Section("Times of each case", (), listed["time"], svg_of(figures.paired_times(results))),
        Section("Tools", (), listed["tools"]),
        Section("Sensitivity to what counts as time", (), listed["sensitivity"]),
        Section(
            "Period, order, learning",
            tuple(f"{name}: {meaning}." for name, meaning in MEANING.items()),
            listed["effects"],
            svg_of(figures.learning(results)),
        ),
    ]
    if results.quality:
        told = () if plan.quality else ("The plan names no margin, so nothing is tested.",)
        sections.append(Section("Quality", told, listed["non_inferiority"], svg_of(figures.time_and_quality(results))))
    if results.between:
        sections.append(Section("Agreement between readers", (), listed["agreement"]))
    if results.within:
        text = "Volume in an arm over that in the reference arm, same reader and case; limits hold 95 % of the ratios."
        sections.append(
            Section("Agreement of a reader's arms", (text,), listed["within_reader"], svg_of(figures.volumes(results)))
        )
    sections += [
        Section("Interactions and time against size", figure=svg_of(figures.interactions(results))),
        Section("Methods", methods(results)),
        Section("Left out", () if results.collected.left else ("Nothing.",), listed["left_out"]),
        Section("What to know", results.notes or ("Nothing.",)),
        Section("Checklist", (), Table(("A report must tell", "where"), checklist(results))),
        Section("Logs", (f"SHA-256 of plan, cases and schedule: {results.study.plan_sha256}.",), listed["logs"]),
    ]
    title = f"Reader study {plan.name}{' (simulated)' if plan.simulated else ''}"
    return render(Page(title, tuple(sections)))
