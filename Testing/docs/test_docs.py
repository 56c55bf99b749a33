"""What the documentation names is there, and what it tells the reader to type is understood."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from SegAnyPETLib.commands.arguments.parser import parse

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), ROOT / "Resources/MODEL_CARD.md"])
#: What a path of the repository begins with, and, in the text of a page, one inside the library.
FOLDERS = ("SegAnyPET/", "SegAnyPETLib/", "Resources/", "Testing/", "docs/", ".github/")
ROOMS = tuple(f"{file.parent.name}/" for file in (ROOT / "SegAnyPETLib").glob("*/__init__.py"))
#: What stands for something of the reader's own.
PLACEHOLDER = re.compile(r"NAME|\.\.\.|[<>*{]")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def paths_of(text: str) -> list[str]:
    """The paths of the repository in a page: those of the text and those that a reader types."""
    quoted = re.findall(r"`([\w./-]+)`", text)
    typed = [word for line in re.findall(r"^ {4}(\S.*)", text, re.MULTILINE) for word in line.split()]
    in_library = [f"SegAnyPETLib/{path}" for path in quoted if path.startswith(ROOMS)]
    return [path for path in quoted + typed if path.startswith(FOLDERS)] + in_library


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    named = paths_of(page.read_text("utf-8"))
    assert [path for path in named if not PLACEHOLDER.search(path) and not (ROOT / path).exists()] == []


def test_a_page_shows_every_example() -> None:
    shown = [match for page in PAGES for match in re.findall(r'^--8<-- "(.+)"$', page.read_text("utf-8"), re.MULTILINE)]
    examples = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/examples").glob("*.py")}
    assert examples <= set(shown)
    assert [path for path in shown if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    # The model card is also shown as a page of docs/.
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def commands_of(page: Path) -> list[list[str]]:
    """The `seganypet` commands of a page's code blocks, as they would be typed."""
    text = re.sub(r" \\\n\s+", " ", page.read_text("utf-8"))
    lines = re.findall(r"^ {4}(?:\S+/)?seganypet ([^\n]*)", text, re.MULTILINE)
    return [shlex.split(re.sub(r"\s+\[--.*?\]", "", line), comments=True) for line in lines]


@pytest.mark.parametrize(
    "arguments", [c for page in PAGES if page.name != "MODEL_CARD.md" for c in commands_of(page)], ids=" ".join
)
def test_every_command_of_a_page_is_one_that_the_program_knows(arguments: list[str]) -> None:
    assert parse(arguments)[0] == arguments[0]


def test_every_page_is_in_the_navigation() -> None:
    class Loader(yaml.SafeLoader):
        """A loader that takes the tags of MkDocs as text."""

    Loader.add_multi_constructor("!", lambda loader, suffix, node: suffix)
    Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)
    navigation = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Loader)["nav"]
    listed = set(re.findall(r"[\w/-]+\.md", str(navigation)))
    assert listed == {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}


def test_the_workflow_runs_what_the_makefile_offers() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    run = re.findall(r"(?:run: |sudo )make ([a-z-]+)", (ROOT / ".github/workflows/test.yml").read_text("utf-8"))
    assert run
    assert set(run) <= targets
