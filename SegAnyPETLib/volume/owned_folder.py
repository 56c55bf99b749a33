"""Temporary folders that name their owner, so that a later run removes what a killed process left behind."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def owned_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield a new folder, which is removed at the end of the block, and remove those of processes that have ended.

    Args:
        parent: folder to make it in.
        prefix: beginning of its name.

    Raises:
        OSError: it cannot be made.
    """
    remove_leftovers(parent, prefix)
    stem = f"{prefix}{os.getpid()}-{_host()}-"
    with TemporaryDirectory(dir=parent, prefix=stem, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def remove_leftovers(parent: Path, prefix: str) -> None:
    """Remove the folders that `owned_folder` made for processes of this user and machine that have ended."""
    pattern = re.compile(rf"{re.escape(prefix)}([0-9]+)-{_host()}-\w+")
    for folder in parent.iterdir():
        match = pattern.fullmatch(folder.name)
        if match and _is_own(folder) and not _exists(int(match[1])):
            shutil.rmtree(folder, ignore_errors=True)  # another process may remove it at the same time


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:4]


def _is_own(folder: Path) -> bool:
    """Return whether a path is a folder of this user, and not a link."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and (os.name != "posix" or status.st_uid == os.getuid())


def _exists(pid: int) -> bool:
    """Return whether a process exists; always true on Windows, where asking would end it."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
