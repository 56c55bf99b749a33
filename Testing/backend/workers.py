"""Worker processes that run a model of the tests: in the place of Python stands a script that starts them."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python_that_runs(folder: Path, before: str = "None") -> str:
    """Something that starts like Python, but serves `HotModel`.

    Args:
        folder: for its files.
        before: what the model calls at the beginning of every decoding, as an expression in terms of `folder`.
    """
    script, starter = folder / "worker.py", folder / "python"
    script.write_text(
        textwrap.dedent(f"""
            import os, pathlib, signal, sys, time
            sys.path.insert(0, {str(ROOT)!r})
            from SegAnyPETLib.backend.worker.main import main

            folder = pathlib.Path({str(folder)!r})

            def load(settings):
                from Testing.backend.hot import HotModel, engine
                model = HotModel()
                click = {before}
                model.before = click or model.before
                made = engine(model)
                made.warm_up = lambda: None
                return made

            main(load)
        """)
    )
    starter.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{script}'\n")
    starter.chmod(0o755)
    return str(starter)
