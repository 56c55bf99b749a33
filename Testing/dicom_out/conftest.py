"""Files that several tests of DICOM results read."""

from pathlib import Path

import numpy as np
import pytest

from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_out.scans import SmallScan, small_scan


@pytest.fixture
def pet_file(tmp_path: Path) -> Path:
    path = tmp_path / "pet.nii.gz"
    write_volume(Volume(np.ones((3, 3, 3), np.float32), np.diag([4.0, 4, 4, 1])), path)
    return path


@pytest.fixture
def small(tmp_path: Path) -> SmallScan:
    return small_scan(tmp_path / "series")
