"""A file appears whole or not at all, and a failure is told as what it is."""

import pytest

from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.volume.atomic import replacing


def write(path, content, then=None):
    with replacing(path, ".txt") as temporary:
        temporary.write_text(content)
        if then is not None:
            then(temporary)


def test_a_file_is_replaced_when_the_block_ends_well(tmp_path):
    path = tmp_path / "a.txt"
    for content in ("old", "new"):
        write(path, content)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("raised", [KeyboardInterrupt, MemoryError])
def test_an_interruption_leaves_the_old_file_and_nothing_else(tmp_path, raised):
    def interrupt(temporary):
        raise raised

    path = tmp_path / "a.txt"
    write(path, "old")
    with pytest.raises(raised):
        write(path, "new", interrupt)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_which_nothing_can_be_removed_is_told_like_any_other_failure(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()

    def lose_folder(temporary):
        temporary.unlink()
        folder.rmdir()
        folder.touch()

    with pytest.raises(SegAnyPETError, match="cannot be written; check the free space and your rights"):
        write(folder / "a.txt", "new", lose_folder)
