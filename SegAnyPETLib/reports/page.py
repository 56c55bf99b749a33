"""A page that opens without a network: text, tables and figures in one file."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

import matplotlib as mpl
from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.resources import resource_path


@dataclass(frozen=True)
class Table:
    """A table of texts; a row has as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        title: its heading.
        texts: paragraphs; whatever they hold is shown as text.
        table: shown below them.
        figure: an SVG element, see `svg_of`; taken as it is.
    """

    title: str
    texts: tuple[str, ...] = ()
    table: Table | None = None
    figure: str = ""


@dataclass(frozen=True)
class Page:
    """A page; the research-use notice stands below its title."""

    title: str
    sections: tuple[Section, ...]


def render(page: Page) -> str:
    """Return a page as one HTML file without any reference to another one."""
    template = resource_path("reports/page.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(template).render(page=page, notice=NOTICE)


def svg_of(figure: Figure) -> str:
    """Return a figure as an SVG element whose texts stay texts; equal figures give equal elements."""
    stream = StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "SegAnyPET"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    content = stream.getvalue()
    return content[content.index("<svg") :]
