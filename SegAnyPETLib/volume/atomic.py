"""Writing a file wholly or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from SegAnyPETLib.errors import InputError, SegAnyPETError


@contextmanager
def replacing(path: Path, suffix: str) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, which replaces it if the block succeeds.

    Args:
        path: the file to write; one that is there stays as it is until the new one is complete.
        suffix: how the temporary name ends, since writers choose their format by it.

    Raises:
        InputError: the folder does not exist, or ``path`` is a folder.
        SegAnyPETError: the system or the writer refused, or the block found the file incomplete (`InputError`); nothing
            is left behind.
    """
    if not path.parent.is_dir():
        raise InputError(f"{path.name} cannot be written: its folder does not exist; make the folder first")
    if path.is_dir():
        raise InputError(f"{path.name} cannot be written: it is a folder; give a file name")
    temporary = path.with_name(f".{uuid4().hex}{suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except (OSError, RuntimeError, InputError) as error:
        raise SegAnyPETError(f"{path.name} cannot be written; check the free space and your rights there") from error
    finally:
        if temporary.exists():  # a read-only folder refuses to remove even what is not there
            temporary.unlink()
