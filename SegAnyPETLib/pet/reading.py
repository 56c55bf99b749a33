"""Reading a PET scan as the user gives it: a DICOM folder or an image file."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.plausibility import check_suv, check_unmarked
from SegAnyPETLib.pet.suv.body import Body
from SegAnyPETLib.pet.suv.factors import suv_factors
from SegAnyPETLib.pet.suv.suv_type import SuvScale, SuvType, suv_scale
from SegAnyPETLib.pet.units import NOTHING_STATED, FileUnits, StatedUnits, suv_factor
from SegAnyPETLib.volume.dicom.series import Series, read_files
from SegAnyPETLib.volume.dicom.study import FoundSeries, Study, find_series
from SegAnyPETLib.volume.io import check_image, read_image_file
from SegAnyPETLib.volume.notes import Note, NoteKind
from SegAnyPETLib.volume.units import SUV_UNITS
from SegAnyPETLib.volume.volume import Volume

#: Endings of single DICOM files, which are not a whole scan.
DICOM_SUFFIXES = (".dcm", ".ima")

TAGS = "weight, dose, times, units and rescale of the series"
OPTIONS = "--units, --weight-kg, --dose-mbq and --uptake-min"


class PetWarning(UserWarning):
    """A note of `read_scan` that `read_pet` passes on."""


@dataclass(frozen=True, eq=False)
class PetScan:
    """A PET scan that can be segmented.

    Attributes:
        volume: float32 values; units ``"SUVbw"`` (g/ml), or ``""`` from a file that does not say its units.
        notes: what is doubtful about the values, for the user; empty if nothing is.
        files: the slices of a DICOM series in the order of the volume's k axis; empty for an image file.
        assumed: what had to be assumed to get SUV, in a few words each.
        body: the patient's, as the tags say; None if they do not.
    """

    volume: Volume
    notes: tuple[Note, ...] = ()
    files: tuple[Path, ...] = ()
    assumed: tuple[str, ...] = ()
    body: Body | None = None

    @property
    def assumption(self) -> str:
        """What had to be assumed, in one line; "" if nothing had to be."""
        return "; ".join(self.assumed)


def read_pet(path: str | Path) -> Volume:
    """Read a PET scan that can be segmented; its notes become warnings of the category `PetWarning`.

    Args:
        path: as for `read_scan`.

    Returns:
        A volume with a float32 array; units ``"SUVbw"`` (g/ml) from DICOM, ``""`` from a file.

    Raises:
        InputError: as for `read_scan`.
    """
    scan = read_scan(path)
    for note in scan.notes:
        warnings.warn(note.message, PetWarning, stacklevel=2)
    return scan.volume


def read_scan(path: str | Path, stated: StatedUnits = NOTHING_STATED, series: str = "") -> PetScan:
    """Read a PET scan that can be segmented, with all that is doubtful about its values.

    Args:
        path: a folder of a DICOM study or PET series, or its DICOMDIR, whose values become body-weight SUV; or an
            image file (see `SegAnyPETLib.volume.io.read_image`), whose values are taken as they are unless units are
            given.
        stated: what the user says of the values of an image file.
        series: which PET series of a folder, as for `SegAnyPETLib.volume.dicom.study.Study.chosen`.

    Raises:
        InputError: the scan cannot be read or converted, cannot be what it says, holds values that are not finite, or
            is zero everywhere.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path.name} is not there; check the path of the PET")
    if path.name.upper() == "DICOMDIR" and path.is_file():
        path = path.resolve().parent  # what it lists lies there and beneath
    if path.is_dir():
        if stated != NOTHING_STATED:
            raise InputError("a DICOM series says its units, weight, dose and times itself; leave --units out")
        return _folder_scan(path, series)
    if path.suffix.lower() in DICOM_SUFFIXES:
        raise InputError(f"{path.name} is a part of a DICOM series; give the folder that holds all of it")
    if series:
        raise InputError(f"{path.name} is an image file, which has no series to choose from; leave --series out")
    return _file_scan(path, stated)


def read_scan_as(
    path: str | Path,
    stated: StatedUnits = NOTHING_STATED,
    suv_type: SuvType = SuvType.BODY_WEIGHT,
    series: str = "",
) -> tuple[PetScan, SuvScale]:
    """Read a PET scan, and how its SUV is to be shown.

    Args:
        path: as for `read_scan`.
        stated: as for `read_scan`.
        suv_type: what SUV shall be related to.
        series: as for `read_scan`.

    Returns:
        The scan in body-weight SUV, with all that was assumed; and how to show the SUV of its quantities.

    Raises:
        InputError: as for `read_scan` and `suv_scale`.
    """
    scan = read_scan(path, stated, series)
    scale = suv_scale(suv_type, scan.volume.units, scan.body)
    return replace(scan, assumed=(*scan.assumed, *scale.assumed)), scale


def scan_of(series: Series) -> PetScan:
    """Convert a DICOM series to body-weight SUV.

    Raises:
        InputError: see `suv_factors`, `check_image` and `check_suv`.
    """
    factors = suv_factors(series.headers)
    scale = factors.per_slice.astype(np.float32)[:, None, None]
    volume = series.volume.with_array(series.volume.array_kji * scale, SUV_UNITS)
    check_image(volume)
    notes = (*factors.notes, *check_suv(volume, factors.weight_kg, TAGS))
    return PetScan(volume, notes, series.files, factors.assumed, factors.body)


def _folder_scan(folder: Path, wish: str) -> PetScan:
    study = find_series(folder)
    chosen = study.chosen(wish)
    scan = scan_of(read_files(chosen.files, study.where))
    if wish or len(study.series) == 1:
        return scan
    return replace(scan, notes=(_choice(study, chosen), *scan.notes))


def _choice(study: Study, chosen: FoundSeries) -> Note:
    number = study.series.index(chosen) + 1
    return Note(
        NoteKind.SERIES,
        f"of {len(study.series)} PET series number {number} was read ({chosen.line}): of those that are "
        "attenuation-corrected it has most slices; --series chooses another, seganypet info FOLDER lists them",
    )


def _file_scan(path: Path, stated: StatedUnits) -> PetScan:
    file = read_image_file(path)
    volume, filled = without_nan_around(file.volume)
    check_image(volume)
    notes = (*file.notes, *filled)
    if stated.injection is not None:
        factor, doubts = suv_factor(stated.injection)
        volume = volume.with_array(volume.array_kji * np.float32(factor), SUV_UNITS)
        return PetScan(volume, (*notes, *doubts, *check_suv(volume, stated.injection.weight_kg, OPTIONS)))
    if stated.units is FileUnits.SUV:
        volume = volume.with_array(volume.array_kji, SUV_UNITS)
        return PetScan(volume, (*notes, *check_suv(volume, None, "--units")))
    return PetScan(volume, (*notes, *check_unmarked(volume, path.name)))


def without_nan_around(volume: Volume) -> tuple[Volume, tuple[Note, ...]]:
    """Set NaN around the body, as masking and resampling leave it, to zero; NaN within stays.

    Returns:
        The volume, and a note if anything was set.
    """
    missing = np.isnan(volume.array_kji)
    if not missing.any():
        return volume, ()
    padded = np.pad(missing, 1, constant_values=True)
    labels, _ = ndimage.label(padded)
    around = (labels == labels[0, 0, 0])[1:-1, 1:-1, 1:-1]
    count = int(np.count_nonzero(around))
    if not count:
        return volume, ()
    filled = volume.with_array(np.where(around, np.float32(0), volume.array_kji), volume.units)
    return filled, (Note(NoteKind.VALUES, f"{count} voxels around the body are not numbers (NaN); they count as zero"),)
