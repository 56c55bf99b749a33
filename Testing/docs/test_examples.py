"""The examples of the documentation run as they stand."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "docs/examples").glob("*.py"))


def run(example: Path, folder: Path) -> str:
    """Run an example in an empty folder; what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(example)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_an_example_of_each_kind() -> None:
    kinds = {"first_click", "refine", "batch", "evaluate", "own_model", "server"}
    assert {example.stem for example in EXAMPLES} == kinds


@pytest.mark.slow
@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.stem != "server"], ids=lambda example: example.stem)
def test_an_example_runs_and_leaves_nothing_behind(example: Path, tmp_path: Path) -> None:
    assert run(example, tmp_path).strip()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_example_of_a_server_finds_one_or_starts_its_own(tmp_path: Path) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8657)) == 0:
            pytest.skip("the port of the example is taken on this machine")
    assert "voxels" in run(ROOT / "docs/examples/server.py", tmp_path)
