"""The report of a study."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from SegAnyPETLib.study.analyse import Results, analyse
from SegAnyPETLib.study.report.methods import SIMULATED, doubts, methods
from SegAnyPETLib.study.report.page import page_of, write_report
from SegAnyPETLib.study.report.tables import tables
from Testing.study.played import played

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return analyse(played(tmp_path_factory.mktemp("study"), skip=frozenset({3})))


def test_page_and_tables_lie_in_the_folder_and_are_equal_the_second_time(results: Results) -> None:
    page = write_report(results)
    first = {path.name: path.read_bytes() for path in page.parent.iterdir()}
    write_report(results)
    assert {path.name: path.read_bytes() for path in page.parent.iterdir()} == first
    assert set(first) == {"report.html", *(f"{name}.csv" for name in tables(results))}


def test_the_page_needs_no_other_file_and_has_the_notice(results: Results) -> None:
    page = page_of(results)
    assert "Research use only, not a medical device." in page
    assert "src=" not in page
    assert "<link" not in page
    for title in ("Flow of readings", "Savings", "Methods", "Left out", "Checklist", "Agreement between readers"):
        assert f"<h2>{title}</h2>" in page
    assert SIMULATED not in page


def test_the_methods_have_every_number_that_a_reviewer_needs(results: Results) -> None:
    text = " ".join(methods(results))
    for part in (
        "2 readers segmented 8 cases in a paired crossover",
        "wash-out of 21 days",
        "1 training case",
        "seed 7",
        "up to 30 s",
        "31 of 32 planned readings",
        "log(seconds) ~ arm + reader + period + order + (1 | case)",
        "corrected after Holm",
    ):
        assert part in text


def test_what_is_left_out_is_in_the_flow(results: Results) -> None:
    listed = tables(results)
    assert sum(int(row[3]) for row in listed["flow"].rows) == 31
    assert [row[5] for row in listed["flow"].rows if row[4] != "0"] == ["1: was not read"]
    assert len(listed["left_out"].rows) == 1


def test_a_table_is_read_as_csv(results: Results) -> None:
    page = write_report(results)
    with (page.parent / "readings.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 31
    assert sum(float(row["working_s"]) for row in rows) == pytest.approx(sum(r.seconds for r in results.rows), abs=0.1)


def test_few_readers_are_a_doubt(results: Results) -> None:
    assert any("the result holds for these readers" in doubt for doubt in doubts(results))


def test_a_simulated_study_says_so_first(results: Results) -> None:
    study = replace(results.study, plan=replace(results.study.plan, simulated=True))
    page = page_of(replace(results, study=study))
    assert "(simulated)</title>" in page
    assert page.index(SIMULATED) < page.index("All readers")


def test_every_arm_and_reader_is_in_the_tables(results: Results) -> None:
    assert [(row[0], row[1]) for row in tables(results)["savings"].rows] == [
        ("all", "assisted"),
        ("R1", "assisted"),
        ("R2", "assisted"),
    ]
    assert [row[0] for row in tables(results)["time"].rows] == ["manual", "assisted"]
    assert Path(results.logs[0].path).name in {row[0] for row in tables(results)["logs"].rows}
