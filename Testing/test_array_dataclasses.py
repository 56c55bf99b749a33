"""Dataclasses that hold arrays compare by identity; with a generated comparison both == and hash would raise."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window

ROOT = Path(__file__).parents[1]
ARRAYS = {"NDArray", "ndarray", "ArrayLike", "Tensor"}


def dataclasses_in(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, bool]]:
    """Dataclasses of a module, and whether each has a generated ``==``."""
    for node in ast.walk(tree):
        for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else []:
            name, options = (decorator.func, decorator.keywords) if isinstance(decorator, ast.Call) else (decorator, [])
            if ast.unparse(name).split(".")[-1] == "dataclass":
                compared = not any(o.arg == "eq" and ast.unparse(o.value) == "False" for o in options)
                yield (
                    node,
                    compared and not any(isinstance(f, ast.FunctionDef) and f.name == "__eq__" for f in node.body),
                )


def field_types(node: ast.ClassDef) -> set[str]:
    """All names in the annotations of a class's fields."""
    return {
        word
        for field in node.body
        if isinstance(field, ast.AnnAssign) and "ClassVar" not in ast.unparse(field.annotation)
        for word in re.findall(r"\w+", ast.unparse(field.annotation))
    }


def comparing_array_dataclasses(sources: dict[str, str]) -> set[str]:
    """Dataclasses with a generated ``==`` that hold an array, or another dataclass that holds one."""
    found = [(name, *entry) for name, text in sources.items() for entry in dataclasses_in(ast.parse(text))]
    holders: set[str] = set()
    while True:
        more = {node.name for _, node, _ in found if field_types(node) & (ARRAYS | holders)}
        if more == holders:
            return {f"{name}:{node.name}" for name, node, compared in found if compared and node.name in holders}
        holders = more


def test_no_dataclass_that_holds_arrays_has_a_generated_comparison() -> None:
    folders = ("SegAnyPETLib", "SegAnyPET")
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(paths) > 100
    sources = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
    assert comparing_array_dataclasses(sources) == set()


@pytest.mark.parametrize(
    ("decorator", "field", "found"),
    [
        ("@dataclass(frozen=True)", "array: NDArray[np.float32]", {"A"}),
        ("@dataclasses.dataclass", "tensor: torch.Tensor | None = None", {"A"}),
        ("@dataclass(frozen=True)", "inner: tuple[B, ...]", {"A"}),
        ("@dataclass(frozen=True, eq=False)", "array: NDArray", set()),
        ("@dataclass(frozen=True)", "shape: tuple[int, ...]", set()),
    ],
)
def test_the_search_finds_the_kind(decorator: str, field: str, found: set[str]) -> None:
    text = f"{decorator}\nclass A:\n    {field}\n\n@dataclass(eq=False)\nclass B:\n    voxels: np.ndarray\n"
    assert comparing_array_dataclasses({"a.py": text}) == {f"a.py:{name}" for name in found}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Volume(np.zeros((2, 2, 2), np.float32), np.eye(4)),
        lambda: Window(2, np.eye(4)),
        lambda: MaskPatch(np.zeros((2, 2, 2), bool), (0, 0, 0)),
    ],
)
def test_a_holder_of_arrays_equals_only_itself_and_has_a_hash(make: Callable[[], object]) -> None:
    one, other = make(), make()
    assert one in [other, one]
    assert one != other
    assert len({one, one, other}) == 2
