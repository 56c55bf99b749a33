"""Each of many hostile files ends in one line, in little time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from Testing.volume.hostile_files import HOSTILE

#: Memory that reading may take beyond what the program itself has taken by then.
MEMORY_BYTES = 500 << 20
#: A generous limit for one file: a few seconds are meant, slow machines take longer.
SECONDS = 30

#: Reads each path that it is given, under a limit of memory, and prints what came of it.
READER = """
import json, resource, signal, sys, time
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.reading import read_scan
from SegAnyPETLib.volume.io import read_labels
from SegAnyPETLib.volume.segmentation import read_segmentation
memory, seconds = int(sys.argv[1]), int(sys.argv[2])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + memory, resource.RLIM_INFINITY))

def hangs(number, frame):
    raise TimeoutError

signal.signal(signal.SIGALRM, hangs)
for path in sys.argv[3:]:
    read = read_segmentation if path.endswith(".seg.nrrd") else read_scan
    signal.alarm(seconds)
    begin = time.monotonic()
    try:
        read(path)
        outcome = "read"
    except InputError as error:
        outcome = f"refused: {error}"
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}"
    signal.alarm(0)
    print(json.dumps([path, outcome, time.monotonic() - begin]), flush=True)
"""

#: What is hostile to no one: it is read.
READ = {"not_a_slope", "short_file_beside"}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is limited as Linux does it")
def test_hostile_files_end_in_one_line_each(tmp_path: Path) -> None:
    for name, make in HOSTILE.items():
        make(tmp_path / name)
    paths = [str(tmp_path / name) for name in HOSTILE]
    assert len(paths) >= 60
    done = subprocess.run(
        [sys.executable, "-c", READER, str(MEMORY_BYTES), str(SECONDS), *paths],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    outcomes = {Path(path).name: outcome for path, outcome, _ in map(json.loads, done.stdout.splitlines())}
    assert set(outcomes) == set(HOSTILE)
    wrong = {
        name: outcome
        for name, outcome in outcomes.items()
        if ("\n" in outcome or not outcome.startswith("refused: ")) and (name not in READ or outcome != "read")
    }
    assert wrong == {}
