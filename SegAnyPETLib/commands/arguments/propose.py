"""Options of ``seganypet propose``."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from SegAnyPETLib.commands.arguments.shared import (
    ModelArguments,
    add_backend,
    add_command,
    add_series,
    point_coordinates,
)
from SegAnyPETLib.commands.common.unit_options import UnitArguments, add_units

#: As in `pet.proposals.criteria` and `pet.proposals.hotspots`, which would bring numpy.
CRITERIA = ("contrast", "suv4", "suv2.5", "41%", "psma3", "percist", "deauville", "qpsma")
Tracer = Literal["fdg", "psma"]

#: More proposals than any review has.
MAX_NUMBER = 100_000

Numbers = tuple[int, ...]
#: What ``all`` becomes: everything that is open.
ALL: Numbers = (0,)


@dataclass(frozen=True)
class ProposeOptions:
    """What `seganypet propose` is asked to do.

    Attributes:
        pet: an image file or a DICOM folder.
        output: files to write; their endings say what they hold.
        model: what refines.
        units: of an image file.
        review: a review to go on with instead of new proposals.
        criterion: what is hot.
        liver: middle of the right lobe in RAS mm, for criteria by the liver.
        tracer: whose physiology is known; None for that of the criterion.
        min_volume_ml: smaller candidates are left out; None for the usual.
        accept: numbers to accept; () for none, `ALL` for all that are open.
        reject: numbers to reject, as `accept`.
        accept_from: score from which open proposals are accepted.
        reject_below: score below which open proposals are rejected.
        reject_kind: kinds whose open proposals are rejected.
        refine: whether the model segments what is accepted anew.
        series: which PET series of a folder; "" for the usual one.
    """

    pet: Path
    output: tuple[Path, ...]
    model: ModelArguments
    units: UnitArguments
    review: Path | None = None
    criterion: str = "contrast"
    liver: tuple[float, float, float] | None = None
    tracer: Tracer | None = None
    min_volume_ml: float | None = None
    accept: Numbers = ()
    reject: Numbers = ()
    accept_from: float | None = None
    reject_below: float | None = None
    reject_kind: tuple[str, ...] = ()
    refine: bool = False
    series: str = ""


def number_list(text: str) -> Numbers:
    """Read numbers and ranges such as ``1,4-6``; ``all`` becomes `ALL`."""
    if text == "all":
        return ALL
    numbers: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*([0-9]{1,6})(?:-([0-9]{1,6}))?\s*", part)
        if not found or not 1 <= int(found[1]) <= int(found[2] or found[1]) <= MAX_NUMBER:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no list of numbers such as 1,4-6, and not 'all'")
        numbers += range(int(found[1]), int(found[2] or found[1]) + 1)
    return tuple(numbers)


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no score from 0 to 1")
    return value


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "propose",
        "find candidate lesions in a whole scan, to be accepted or rejected",
        "  seganypet propose dicom_folder --output review.json --output review.html\n"
        "  seganypet propose dicom_folder --review review.json --accept 1-12,15 --reject 13,14 --output review.json\n"
        "  seganypet propose dicom_folder --review review.json --refine --output lesions.seg.nrrd\n"
        "  seganypet propose pet.nii.gz --units suv --criterion percist --liver 80,10,-250 --output review.json\n"
        "  seganypet propose psma_folder --tracer psma --accept-from 0.9 --output lesions.seg.nrrd\n"
        "proposals are no segments until they are accepted; the score sorts them, it is no diagnosis",
    )
    parser.add_argument("pet", type=Path, metavar="PET", help="a NIfTI, NRRD or MHA file, or a DICOM folder")
    parser.add_argument(
        "--output",
        type=Path,
        action="append",
        required=True,
        metavar="OUT",
        help="repeat it for more: .json the review, .csv its table, .html its pictures, "
        ".seg.nrrd or another image file the accepted lesions as segments, of a DICOM folder also .dcm (SEG), .sr.dcm "
        "(a report of the quantities, with its SEG beside it) or .rtss.dcm (RTSTRUCT)",
    )
    parser.add_argument(
        "--criterion",
        choices=CRITERIA,
        default="contrast",
        metavar="NAME",
        help=f"what is a candidate: {', '.join(CRITERIA)} (default: contrast)".replace("%", "%%"),
    )
    parser.add_argument(
        "--liver", type=point_coordinates, metavar="R,A,S", help="middle of the liver's right lobe in RAS mm"
    )
    parser.add_argument(
        "--tracer", choices=get_args(Tracer), help="whose physiology is known (default: that of the criterion)"
    )
    parser.add_argument("--min-volume-ml", type=float, metavar="ML", help="leave out smaller candidates (default: 0.2)")
    _add_decisions(parser)
    parser.add_argument(
        "--refine", action="store_true", help="let the model segment the accepted lesions from a click in each"
    )
    add_backend(parser)
    add_series(parser)
    add_units(parser)
    parser.set_defaults(kind=ProposeOptions)


def _add_decisions(parser: argparse.ArgumentParser) -> None:
    decisions = parser.add_argument_group("decisions; by score and kind they touch only what is still open")
    decisions.add_argument("--review", type=Path, metavar="FILE.json", help="go on with this review of the same scan")
    decisions.add_argument("--accept", type=number_list, default=(), metavar="1,4-6", help="accept these, or 'all'")
    decisions.add_argument("--reject", type=number_list, default=(), metavar="2,3", help="reject these, or 'all'")
    decisions.add_argument("--accept-from", type=share, metavar="SCORE", help="accept what scores at least this")
    decisions.add_argument("--reject-below", type=share, metavar="SCORE", help="reject what scores less than this")
    decisions.add_argument(
        "--reject-kind", action="append", metavar="KIND", help="reject what looks like this organ, as 'bladder'"
    )
