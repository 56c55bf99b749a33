"""The sizes and the form that keep the code easy to enter."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("SegAnyPETLib", "SegAnyPET")
MAX_LINES = 400
#: A longer file says in a comment why it is one: "# Longer than 400 lines: ...".
REASON = f"# Longer than {MAX_LINES} lines: "
MAX_FILES = 16
#: Attributes that one assignment may set: a point has three coordinates.
MAX_ATTRIBUTES = 3


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def statements(path: Path, kind: type[ast.stmt]) -> Iterator[ast.stmt]:
    return (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, kind))


def tuples_assigned(path: Path) -> Iterator[tuple[int, list[ast.expr]]]:
    """Line and targets of each assignment to several names at once."""
    for node in statements(path, ast.Assign):
        assert isinstance(node, ast.Assign)
        for target in node.targets:
            if isinstance(target, ast.Tuple):
                yield node.lineno, target.elts


def test_a_long_file_says_why_it_is_long() -> None:
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in sources(*FOLDERS)}
    long = {name: len(text.splitlines()) for name, text in texts.items() if REASON not in text}
    assert {name: lines for name, lines in long.items() if lines > MAX_LINES} == {}


def test_no_folder_holds_more_files_than_a_reader_overlooks() -> None:
    folders = {path.parent for path in sources(*FOLDERS)}
    counts = {name_of(folder): len([p for p in folder.glob("*.py") if p.stem != "__init__"]) for folder in folders}
    assert {folder: count for folder, count in counts.items() if count > MAX_FILES} == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_constant_has_a_line_of_its_own(folder: str) -> None:
    """Two on one line share a comment that fits one of them, and a change of one looks like a change of both."""
    together = [
        f"{name_of(path)}:{line}"
        for path in sources(folder)
        for line, targets in tuples_assigned(path)
        if any(isinstance(t, ast.Name) and t.id.isupper() and len(t.id) > 1 for t in targets)
    ]
    assert together == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_assignment_sets_few_attributes(folder: str) -> None:
    together = [
        f"{name_of(path)}:{line}"
        for path in sources(folder)
        for line, targets in tuples_assigned(path)
        if sum(isinstance(t, ast.Attribute) for t in targets) > MAX_ATTRIBUTES
    ]
    assert together == []
