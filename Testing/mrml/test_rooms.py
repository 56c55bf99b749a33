"""What the room brings into Slicer's process."""

import subprocess
import sys

import pytest

pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

pytestmark = pytest.mark.slow


def test_slicers_process_stays_free_of_torch_and_the_room_of_qt() -> None:
    code = """
import pkgutil, sys
from importlib import import_module
import SegAnyPETLib.mrml as room
names = [import_module(f"SegAnyPETLib.mrml.{module.name}").__name__ for module in pkgutil.iter_modules(room.__path__)]
assert len(names) > 5
print(*[m for m in ("torch", "monai", "safetensors", "qt", "PySide6") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
