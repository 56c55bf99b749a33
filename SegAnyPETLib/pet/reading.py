"""Reading a PET scan as the user gives it: a DICOM folder or an image file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.suv import suv_factors
from SegAnyPETLib.volume.dicom import read_series
from SegAnyPETLib.volume.io import check_image, read_image
from SegAnyPETLib.volume.units import SUV_UNITS
from SegAnyPETLib.volume.volume import Volume

#: Endings of single DICOM files, which are not a whole scan.
DICOM_SUFFIXES = (".dcm", ".ima")


def read_pet(path: str | Path) -> Volume:
    """Read a PET scan that can be segmented.

    Args:
        path: a folder with one DICOM PET series, whose values become body-weight SUV; or an image file (see
            `SegAnyPETLib.volume.io.read_image`), whose values are taken as they are.

    Returns:
        A volume with a float32 array; units ``"SUVbw"`` (g/ml) from DICOM, ``""`` from a file.

    Raises:
        InputError: the scan cannot be read or converted, holds values that are not finite, or is zero everywhere.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path.name} is not there; check the path of the PET")
    if path.is_file() and path.suffix.lower() in DICOM_SUFFIXES:
        raise InputError(f"{path.name} is one slice of a DICOM series; give the folder that holds all of them")
    volume = _read_dicom(path) if path.is_dir() else read_image(path)
    check_image(volume)
    return volume


def _read_dicom(folder: Path) -> Volume:
    series = read_series(folder)
    factors = suv_factors(series.headers).astype(np.float32)
    return series.volume.with_array(series.volume.array_kji * factors[:, None, None], SUV_UNITS)
