"""Small volumes, and files of every format with one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.volume import Volume

Numbers = Sequence[float]
FORMATS = (".nii", ".nii.gz", ".nrrd", ".mha")
#: Offsets in the NIfTI-1 header (nifti1.h).
DATATYPE, VOX_OFFSET, QFORM_CODE, SFORM_FIRST_ROW = 70, 108, 252, 280


def counting(shape: tuple[int, ...] = (2, 3, 4)) -> NDArray[np.float32]:
    """Values that differ in every voxel and are no whole numbers: 0.5, 1.5, ..."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape) + 0.5


def grid_matrix(angles: Numbers, spacing: Numbers, flips: Sequence[bool], origin: Numbers) -> NDArray[np.float64]:
    """IJK-to-RAS of a grid: angles in degrees about R, A and S, spacing in mm, axes that are flipped, origin in mm."""
    matrix = np.eye(4)
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, :3] = axes * spacing * np.where(flips, -1, 1)
    matrix[:3, 3] = origin
    return matrix


OBLIQUE = grid_matrix((10, -20, 30), (2.0, 3.0, 4.5), (False, True, False), (100.0, -200.0, 300.0))


def write(folder: Path, suffix: str, array: NDArray | None = None, matrix: NDArray = OBLIQUE) -> Path:
    """Write a volume to a file of the format of a suffix; returns its path."""
    path = folder / f"image{suffix}"
    write_volume(Volume(counting() if array is None else array, matrix), path)
    return path


def refusal(read: Callable[[Path], object], path: Path) -> str:
    """The one line that a file is refused with."""
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message
