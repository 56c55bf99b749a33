"""End a private cluster whose driver was killed: Ray's agents would stay for a minute, and its files for ever.

The driver runs this file as a process of its own, whose standard input ends with the driver. All processes of the
cluster have inherited a mark in their environment, by which they are found in Linux's /proc; on other systems only the
files are removed. Imports nothing but Python's library, since it is there as long as the cluster.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: The environment variable with the mark.
MARK_VARIABLE = "SEGANYPET_CLUSTER"
#: Seconds that Ray's own processes get to end before they are killed.
GRACE_S = 3.0


@contextmanager
def watched(mark: str, folder: Path) -> Iterator[None]:
    """Have the cluster that is started in the block ended if this process is killed.

    Args:
        mark: a text that no other cluster has.
        folder: files of the cluster.
    """
    command = [sys.executable, "-I", __file__, mark, str(folder)]
    posix = os.name == "posix"
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=posix) as process:
        os.environ[MARK_VARIABLE] = mark
        try:
            yield
        finally:
            del os.environ[MARK_VARIABLE]
            process.kill()


def end_cluster(mark: str, folder: Path) -> None:
    """Kill the processes with a mark, and remove a folder."""
    for pid in _marked(mark):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _marked(mark: str) -> list[int]:
    wanted = f"{MARK_VARIABLE}={mark}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or belongs to another user
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


if __name__ == "__main__":
    sys.stdin.read()
    time.sleep(GRACE_S)
    end_cluster(sys.argv[1], Path(sys.argv[2]))
