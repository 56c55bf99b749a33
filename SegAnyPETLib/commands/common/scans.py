"""The scan that the options of the command line name."""

from __future__ import annotations

from pathlib import Path

from SegAnyPETLib.commands.common.unit_options import UnitArguments
from SegAnyPETLib.pet.reading import PetScan, read_scan_as
from SegAnyPETLib.pet.suv.suv_type import SuvScale, SuvType
from SegAnyPETLib.pet.units import stated_units


def scan_named(path: Path, units: UnitArguments, series: str = "") -> PetScan:
    """Read a scan with what is said of its values.

    Raises:
        InputError: as for `read_scan` and `stated_units`.
    """
    return scan_shown(path, units, "bw", series)[0]


def scan_shown(path: Path, units: UnitArguments, suv_type: str, series: str = "") -> tuple[PetScan, SuvScale]:
    """Read a scan with what is said of its values, and how its SUV is to be shown.

    Raises:
        InputError: as for `read_scan_as` and `stated_units`.
    """
    stated = stated_units(units.units, units.weight_kg, units.dose_mbq, units.uptake_min, units.half_life_min)
    return read_scan_as(path, stated, SuvType(suv_type), series)
