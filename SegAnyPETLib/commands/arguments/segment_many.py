"""Options of ``seganypet segment-many``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import (
    JobArguments,
    ModelArguments,
    add_backend,
    add_command,
    add_jobs,
    add_suv_type,
)
from SegAnyPETLib.dicom_out.kinds import DicomKind


@dataclass(frozen=True)
class SegmentManyOptions:
    """What `seganypet segment-many` is asked to do.

    Attributes:
        manifest: JSON list of cases with their clicks.
        output: folder of the masks and the table.
        model: what segments.
        jobs: how many cases at a time.
        suv_type: "bw", "lbm", "ibw" or "bsa", what SUV relates the dose to.
        dicom: kinds of DICOM objects to write of each case, see `SegAnyPETLib.dicom_out.kinds.DicomKind`.
    """

    manifest: Path
    output: Path
    model: ModelArguments
    jobs: JobArguments
    dicom: tuple[str, ...] = ()
    suv_type: str = "bw"


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "segment-many",
        "segment the targets of many PETs from clicks in a list",
        "  seganypet segment-many cases.json --output masks\n"
        "  seganypet segment-many cases.json --output masks --jobs 4 --threads 2\n"
        "  RAY_ADDRESS=head:6379 seganypet segment-many cases.json --output masks --jobs 32 --ray\n"
        "  seganypet segment-many cases.json --output results --dicom seg sr\n"
        "cases.json:\n"
        '  {"cases": [\n'
        '    {"id": "a", "image": "a/pet.nii.gz", "clicks": [{"ras": [12.5, -40, 310], "positive": true}]},\n'
        '    {"id": "b", "image": "b/dicom", "targets": [\n'
        '      {"name": "Liver lesion", "clicks": [{"ras": [-80, 15, -620], "positive": true}]},\n'
        '      {"name": "Node", "mask": "b/node.nii.gz"}]}]}\n'
        "  paths are relative to the list; a case or target may have a mask to start from;\n"
        '  "series" chooses the PET series of a DICOM folder by its number in seganypet info FOLDER, or its UID',
    )
    parser.add_argument("manifest", type=Path, metavar="M.json", help="the cases")
    add_backend(parser)
    add_jobs(parser)
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for ID.seg.nrrd of each case and quantities.csv of all, made where absent",
    )
    parser.add_argument(
        "--dicom",
        nargs="+",
        choices=[kind.value for kind in DicomKind],
        metavar="KIND",
        help="of cases that are DICOM folders also ID.seg.dcm (seg), ID.labelmap.dcm, ID.sr.dcm, a report of the "
        "quantities (sr, with seg), ID.rtss.dcm, contours (rtss)",
    )
    add_suv_type(parser)
    parser.set_defaults(kind=SegmentManyOptions)
