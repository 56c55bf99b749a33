"""A cluster whose driver is killed."""

import os
import subprocess
import sys

import pytest

from Testing.backend.processes import PROC, Seen, descendants, wait_until
from Testing.backend.workers import ROOT

pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="processes are looked up in /proc")


def driver(tmp_path, block):
    """A process that watches over a cluster of one process, which would outlive it, and then does something."""
    code = (
        "import subprocess, sys, time; from pathlib import Path\n"
        "from SegAnyPETLib.backend.on_ray.watchdog import watched\n"
        f"folder = Path({str(tmp_path)!r}) / 'cluster'\n"
        "folder.mkdir()\n"
        "with watched('mark-of-the-test', folder):\n"
        "    agent = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "    print(agent.pid, flush=True)\n"
        f"    {block}\n"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_its_processes_and_files_go_with_it(tmp_path):
    with driver(tmp_path, "time.sleep(600)") as process:
        agent = int(process.stdout.readline())
        seen = descendants(process.pid)
        assert agent in [s.pid for s in seen]
        process.kill()
    wait_until(lambda: not any(s.alive for s in seen))
    wait_until(lambda: not (tmp_path / "cluster").exists())


def test_a_driver_that_ends_ends_its_cluster_itself(tmp_path):
    with driver(tmp_path, "pass") as process:
        agent = Seen(int(process.stdout.readline()), 0)
    try:
        assert process.returncode == 0
        assert (tmp_path / "cluster").exists()
        assert agent.title.startswith("sleep")
    finally:
        os.kill(agent.pid, 9)
