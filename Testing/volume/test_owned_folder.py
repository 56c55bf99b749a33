"""Folders that a killed process leaves behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from SegAnyPETLib.volume.owned_folder import owned_folder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def killed(tmp_path):
    """A folder with what a process left that was killed while it wrote."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from SegAnyPETLib.volume.owned_folder import owned_folder\n"
        f"with owned_folder(Path({str(tmp_path)!r}), '.part-') as folder:\n"
        "    (folder / 'half').write_text('x')\n"
        "    print(flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"\n"
        with owned_folder(tmp_path, ".part-"):
            assert len(list(tmp_path.glob(".part-*"))) == 2  # that of a process that lives stays
        process.kill()
    assert len(list(tmp_path.glob(".part-*"))) == 1
    return tmp_path


def test_a_folder_is_removed_at_the_end_of_the_block(tmp_path):
    with owned_folder(tmp_path, ".part-") as folder:
        (folder / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot be asked whether a process exists")
def test_what_a_killed_process_left_is_removed_by_the_next_one_and_nothing_else(killed):
    others = [killed / ".part-notes", killed / ".other-1-abcd-x", killed / "kept"]
    for other in others:
        other.mkdir()
    (killed / ".part-1-link").symlink_to(killed / "kept")
    with owned_folder(killed, ".part-"):
        pass
    assert set(killed.iterdir()) == {*others, killed / ".part-1-link"}
