"""Options of ``seganypet segment``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import (
    ModelArguments,
    add_backend,
    add_command,
    add_series,
    add_suv_type,
    point_coordinates,
)
from SegAnyPETLib.commands.common.unit_options import add_units

#: Options whose value may begin with a minus sign, which argparse would take for another option.
POINT_OPTIONS = ("--point", "--negative", "--liver", "--before-liver")

Coordinates = tuple[float, float, float]


@dataclass(frozen=True)
class SegmentOptions:
    """What `seganypet segment` is asked to do.

    Attributes:
        pet: an image file or a DICOM folder.
        output: files of the mask on the PET's grid; their endings say what they hold.
        model: what segments.
        clicks: coordinates, and whether the target is there, in the order in which they were given.
        mask: a mask on the PET's grid, or a DICOM SEG or RTSTRUCT, to start from.
        size: steps from the model's choice to a larger meaning of the first click, or if negative to a smaller one.
        coordinates: "ras" or "lps" in mm, or "ijk" in voxels.
        figure: a picture of the result.
        mask_segment: name of the segment of the mask's file to take.
        units: what the values of an image file are, "suv" or "bqml"; the numbers that follow convert Bq/ml.
        weight_kg: the patient's weight.
        dose_mbq: the injected activity.
        uptake_min: minutes from the injection to the scan.
        half_life_min: of the nuclide; that of F-18 unless it is given.
        suv_type: "bw", "lbm", "ibw" or "bsa", what SUV relates the dose to.
        series: which PET series of a folder; "" for the usual one.
    """

    pet: Path
    output: tuple[Path, ...]
    model: ModelArguments
    clicks: tuple[tuple[Coordinates, bool], ...] = ()
    mask: Path | None = None
    size: int = 0
    coordinates: str = "ras"
    figure: Path | None = None
    mask_segment: str | None = None
    units: str | None = None
    weight_kg: float | None = None
    dose_mbq: float | None = None
    uptake_min: float | None = None
    half_life_min: float | None = None
    suv_type: str = "bw"
    series: str = ""


class _AppendClick(argparse.Action):
    """Collects ``--point`` and ``--negative`` in the order in which they are given."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        namespace.clicks = [*(namespace.clicks or []), (values, option != "--negative")]


def join_negative_points(argv: Sequence[str]) -> list[str]:
    """``--point -12,3,4`` as ``--point=-12,3,4``, which argparse understands."""
    joined: list[str] = []
    for argument in argv:
        if joined and joined[-1] in POINT_OPTIONS and re.match(r"-[\d.]", argument):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "segment",
        "segment what the clicks point at in a PET",
        "  seganypet segment pet.nii.gz --point 12.5,-40,310 --output lesion.seg.nrrd\n"
        "  seganypet segment dicom_folder --point -80,15,-620 --negative -60,15,-600 \\\n"
        "      --output lesion.nii.gz --figure lesion.png\n"
        "  seganypet segment dicom_folder --point -80,15,-620 --output lesion.seg.nrrd --output lesion.sr.dcm\n"
        "  seganypet segment pet.nrrd --coordinates ijk --point 64,70,120 --mask draft.nii.gz --output lesion.nrrd\n"
        "  seganypet segment pet.nii.gz --point 12.5,-40,310 --output lesion.nii.gz \\\n"
        "      --server https://pet.hospital.example --token-file token",
    )
    parser.add_argument("pet", type=Path, metavar="PET", help="a NIfTI, NRRD or MHA file, or a DICOM folder")
    clicks: dict[str, Any] = {"dest": "clicks", "action": _AppendClick, "type": point_coordinates, "metavar": "R,A,S"}
    parser.add_argument("--point", help="a point in the target; repeat it for more, they count in this order", **clicks)
    parser.add_argument("--negative", help="a point outside the target; repeat it for more", **clicks)
    parser.add_argument(
        "--size",
        type=int,
        default=0,
        metavar="STEPS",
        help="what the first point means: the model's choice (0, default), a smaller mask (-1, -2) or a larger (1, 2)",
    )
    parser.add_argument("--mask", type=Path, help="a mask on the PET's grid to start from, or a DICOM SEG or RTSTRUCT")
    parser.add_argument("--mask-segment", metavar="NAME", help="the segment or region to take of a mask with several")
    parser.add_argument(
        "--coordinates",
        choices=["ras", "lps", "ijk"],
        default="ras",
        help="what the points are: RAS mm as Slicer shows them (default), LPS mm as in DICOM and ITK, or voxel indices",
    )
    add_backend(parser)
    parser.add_argument(
        "--output",
        type=Path,
        action="append",
        required=True,
        metavar="OUT",
        help="the mask on the PET's grid: .seg.nrrd, .nii.gz, .nrrd, .nii or .mha; of a DICOM folder also DICOM: .dcm "
        "(SEG), .labelmap.dcm, .sr.dcm (SR, a report of the quantities, with its SEG beside it), .rtss.dcm (RTSTRUCT); "
        "repeat it for several files",
    )
    add_series(parser)
    add_units(parser)
    add_suv_type(parser)
    parser.add_argument("--figure", type=Path, metavar="FILE.png", help="a picture of the result")
    parser.set_defaults(kind=SegmentOptions)
