"""Where a command may write; looked at before any work is done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.volume.atomic import replacing


def check_output(path: Path, suffixes: Sequence[str], inputs: Sequence[Path | None] = ()) -> None:
    """Refuse a file that could not be written, or that would replace what is read.

    Args:
        path: the file to write.
        suffixes: the endings that are understood.
        inputs: files that the command reads.

    Raises:
        InputError: with what to do.
    """
    if not path.name.lower().endswith(tuple(suffixes)):
        raise InputError(f"{path.name} has an unknown ending; use {' or '.join(suffixes)}")
    if not path.parent.is_dir():
        raise InputError(f"{path.name} cannot be written: the folder {path.parent} does not exist; make it first")
    if path.is_dir():
        raise InputError(f"{path.name} cannot be written: it is a folder; give a file name")
    if path.exists() and any(given is not None and given.exists() and path.samefile(given) for given in inputs):
        raise InputError(f"{path.name} is read by this command and must not be replaced; choose another output")


def make_folder(path: Path) -> None:
    """Make an output folder where it is absent.

    Raises:
        InputError: the path is a file.
        SegAnyPETError: the folder cannot be made.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give a folder to write to")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SegAnyPETError(f"the folder {path} cannot be made; check your rights there") from error


def write_json(content: Any, path: Path) -> None:
    """Write JSON wholly or not at all.

    Raises:
        SegAnyPETError: the file could not be written.
    """
    with replacing(path, ".json") as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
