"""A page in one file."""

import re

from matplotlib.figure import Figure

from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.reports.page import Page, Section, Table, render, svg_of


def test_a_page_shows_its_parts_and_the_notice() -> None:
    html = render(Page("Title", (Section("Part", ("a text",), Table(("x", "y"), (("1", "2"),))),)))
    assert NOTICE in html
    for shown in ("<h1>Title</h1>", "<h2>Part</h2>", "<p>a text</p>", "<th>y</th>", "<td>2</td>"):
        assert shown in html


def test_whatever_a_text_holds_is_shown_as_text() -> None:
    html = render(Page("<script>", (Section("< 1 ml", ("<img src=x>",), Table(("<b>",), (("<i>",),))),)))
    assert not re.search("<(script|img|b|i)>", html)
    assert "&lt; 1 ml" in html


def test_a_figure_is_an_element_whose_texts_stay_texts_and_equal_figures_are_equal() -> None:
    def drawn() -> Figure:
        figure = Figure()
        figure.subplots().set_title("five clicks")
        return figure

    svg = svg_of(drawn())
    assert svg.startswith("<svg")
    assert "five clicks" in svg
    assert svg == svg_of(drawn())
    assert svg in render(Page("t", (Section("s", figure=svg),)))
