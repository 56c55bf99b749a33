"""Options of ``seganypet burden``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import SUV_TYPES, add_command, add_series, add_suv_type, point_coordinates
from SegAnyPETLib.commands.common.unit_options import UnitArguments, add_units

Coordinates = tuple[float, float, float]


@dataclass(frozen=True)
class BurdenOptions:
    """What `seganypet burden` is asked to do.

    Attributes:
        pet: an image file or a DICOM folder.
        mask: its lesions.
        units: of image files, of both scans.
        output: files to write; their endings say what they hold.
        liver: middle of the liver's right lobe in RAS mm.
        before: an earlier scan of the patient.
        before_mask: its lesions.
        suv_type: "bw", "lbm" or "ibw", what SUV relates the dose to.
        force: whether scans that look like those of different patients are compared.
        series: which PET series of a folder; "" for the usual one.
        before_series: the same of the earlier scan.
    """

    pet: Path
    mask: Path
    units: UnitArguments
    output: tuple[Path, ...] = ()
    liver: Coordinates | None = None
    before: Path | None = None
    before_mask: Path | None = None
    suv_type: str = "bw"
    force: bool = False
    series: str = ""
    before_series: str = ""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "burden",
        "measure all lesions of a scan together, and the change since an earlier scan",
        "  seganypet burden dicom_folder --mask lesions.seg.nrrd\n"
        "  seganypet burden dicom_folder --mask lesions.seg.nrrd --output burden.json --output report.html\n"
        "  seganypet burden june --mask june.seg.nrrd --before may --before-mask may.seg.nrrd --output change.html\n"
        "  seganypet burden pet.nii.gz --units suv --mask lesions.nii.gz --liver 80,10,-250\n"
        "each segment or label is a lesion; a file with a single one is split into its connected parts",
    )
    parser.add_argument("pet", type=Path, metavar="PET", help="a NIfTI, NRRD or MHA file, or a DICOM folder")
    parser.add_argument(
        "--mask",
        type=Path,
        required=True,
        metavar="MASK",
        help="the lesions, on the PET's grid, or as DICOM SEG or RTSTRUCT",
    )
    parser.add_argument(
        "--output",
        type=Path,
        action="append",
        metavar="OUT",
        help="repeat it for more: .json all quantities, .csv a table of the lesions, .html a report with pictures",
    )
    parser.add_argument(
        "--liver",
        type=point_coordinates,
        metavar="R,A,S",
        help="middle of the liver's right lobe in RAS mm, for what PERCIST calls measurable",
    )
    earlier = parser.add_argument_group("change since an earlier scan of the patient")
    earlier.add_argument("--before", type=Path, metavar="PET", help="the earlier scan")
    earlier.add_argument("--before-mask", type=Path, metavar="MASK", help="its lesions")
    earlier.add_argument("--before-series", default="", metavar="SERIES", help="which series of it, as --series")
    earlier.add_argument(
        "--force", action="store_true", help="compare the scans even if they look like those of different patients"
    )
    add_series(parser)
    add_units(parser)
    add_suv_type(parser, [name for name in SUV_TYPES if name != "bsa"])  # MTV and TLG of lesions are summed in g
    parser.set_defaults(kind=BurdenOptions)
