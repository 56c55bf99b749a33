"""Checks of where a command may write, before any work is done, and writing that is complete or absent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.volume.atomic import replacing
from SegAnyPETLib.volume.owned_folder import owned_folder

#: Beginning of the name of a folder whose files are not complete.
TEMPORARY = ".seganypet-"


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
        raise InputError(f"{path.name or path} has an unknown ending; use {' or '.join(suffixes)}")
    if not path.parent.is_dir():
        raise InputError(f"{path.name} cannot be written: the folder {path.parent} does not exist; make it first")
    if path.is_dir():
        raise InputError(f"{path.name} cannot be written: it is a folder; give a file name")
    if path.exists() and any(given is not None and given.exists() and path.samefile(given) for given in inputs):
        raise InputError(f"{path.name} is read by this command and must not be replaced; choose another output")


def check_folder(path: Path) -> None:
    """Refuse a folder to write to that is a file.

    Raises:
        InputError: it is one.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give a folder to write to")


def make_folder(path: Path) -> None:
    """Make an output folder if it does not exist.

    Raises:
        InputError: the path is a file.
        SegAnyPETError: the folder cannot be made.
    """
    check_folder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SegAnyPETError(f"the folder {path} cannot be made; check your rights there") from error


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder; move its files to ``folder`` if the block succeeds, else remove them.

    Args:
        folder: made if it does not exist; files of the same names there are replaced.

    Raises:
        InputError: the path is a file, or one of its files would replace a folder.
        SegAnyPETError: the folder cannot be made or not be written to.
    """
    new = not folder.exists()
    make_folder(folder)
    try:
        with owned_folder(folder, TEMPORARY) as temporary:
            yield temporary
            files = sorted(temporary.iterdir())
            for file in files:
                if (folder / file.name).is_dir():
                    raise InputError(f"{folder / file.name} is a folder; give another folder to write to")
            for file in files:
                os.replace(file, folder / file.name)
    except BaseException as error:
        if new:
            folder.rmdir()
        if isinstance(error, OSError):
            raise SegAnyPETError(f"{folder} cannot be filled; check the free space and your rights there") from error
        raise


def write_json(content: Any, path: Path) -> None:
    """Write JSON wholly or not at all.

    Raises:
        SegAnyPETError: the file could not be written.
    """
    with replacing(path, ".json") as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
