"""A file is written wholly or not at all."""

import os
import subprocess
import sys

import numpy as np
import pytest

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.volume.io import read_image, write_volume
from SegAnyPETLib.volume.volume import Volume
from Testing.volume.files import FORMATS, counting, write


@pytest.mark.parametrize("suffix", FORMATS)
def test_writing_replaces_a_file_and_leaves_nothing_else(tmp_path, suffix):
    write(tmp_path, suffix, np.zeros((2, 2, 2), np.float32))
    path = write(tmp_path, suffix)
    assert os.listdir(tmp_path) == [path.name]
    assert np.array_equal(read_image(path).array_kji, counting())


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
def test_writing_that_fails_leaves_the_existing_file_and_nothing_else(tmp_path, suffix):
    path = write(tmp_path, suffix)
    before = path.read_bytes()
    # A full disk, as far as a process can have its own: no file may grow beyond 4000 bytes.
    program = """
import resource, signal, sys
import numpy as np
from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.volume import Volume
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
noise = np.random.default_rng(0).normal(size=(20, 20, 20)).astype(np.float32)
try:
    write_volume(Volume(noise, np.eye(4)), sys.argv[1])
except SegAnyPETError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert "cannot be written; check the free space" in done.stdout
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_writing_to_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="folder does not exist"):
        write_volume(Volume(counting(), np.eye(4)), tmp_path / "absent" / "image.nii.gz")


def test_writing_over_a_folder_is_refused(tmp_path):
    (tmp_path / "image.nii.gz").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        write_volume(Volume(counting(), np.eye(4)), tmp_path / "image.nii.gz")


def test_writing_under_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match="unknown ending"):
        write_volume(Volume(counting(), np.eye(4)), tmp_path / "image.png")
    assert os.listdir(tmp_path) == []


def test_failure_in_the_writer_is_told_in_one_line(tmp_path):
    with pytest.raises(SegAnyPETError, match="cannot be written"):
        # NIfTI holds at most 32767 voxels along an axis.
        write_volume(Volume(np.zeros((2, 2, 40000), np.uint8), np.eye(4)), tmp_path / "image.nii")
    assert os.listdir(tmp_path) == []
