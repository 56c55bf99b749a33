"""Options of ``seganypet info``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import add_command


@dataclass(frozen=True)
class InfoOptions:
    """What `seganypet info` is asked to do.

    Attributes:
        folder: of a study, whose PET series are listed; None for what is installed.
    """

    folder: Path | None = None


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "info",
        "say what is installed (versions, devices, models), or which PET series a DICOM folder holds",
        "  seganypet info\n  seganypet info study_folder",
    )
    parser.add_argument(
        "folder", type=Path, nargs="?", metavar="FOLDER", help="of a DICOM study, with all folders beneath"
    )
    parser.set_defaults(kind=InfoOptions)
