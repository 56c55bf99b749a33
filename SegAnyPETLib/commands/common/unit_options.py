"""Options that say what the values of an image file are."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

#: As `pet.units.FileUnits`, which would bring numpy.
FILE_UNITS = ("suv", "bqml")


@dataclass(frozen=True)
class UnitArguments:
    """What the user says of the values of an image file.

    Attributes:
        units: "suv" or "bqml"; the numbers that follow convert Bq/ml.
        weight_kg: the patient's weight.
        dose_mbq: the injected activity.
        uptake_min: minutes from the injection to the scan.
        half_life_min: of the nuclide; that of F-18 unless it is given.
    """

    units: str | None = None
    weight_kg: float | None = None
    dose_mbq: float | None = None
    uptake_min: float | None = None
    half_life_min: float | None = None


def add_units(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    units = parser.add_argument_group("values of an image file, which a DICOM folder states itself")
    units.add_argument("--units", choices=FILE_UNITS, help="body-weight SUV, or Bq/ml to convert with what follows")
    units.add_argument("--weight-kg", type=float, metavar="KG", help="the patient's weight")
    units.add_argument("--dose-mbq", type=float, metavar="MBQ", help="the injected activity")
    units.add_argument(
        "--uptake-min",
        type=float,
        metavar="MIN",
        help="minutes from the injection to the start of the scan; 0 if the values are corrected to the injection",
    )
    units.add_argument("--half-life-min", type=float, metavar="MIN", help="of the nuclide (default: that of F-18)")
