"""Options of ``seganypet pacs``."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import add_command


@dataclass(frozen=True)
class PacsArguments:
    """A PACS and how to reach it.

    Attributes:
        url: address of its DICOMweb service.
        credentials_file: holds name:password.
        token_file: holds a bearer token.
        ca_file: PEM file of the authority that signed the server's certificate.
        allow_http: whether others may read along.
    """

    url: str
    credentials_file: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    allow_http: bool = False


@dataclass(frozen=True)
class FindSeries:
    """List series.

    Attributes:
        pacs: where.
        study: Study Instance UID.
        dates: day or range of days.
        patient_id_file: holds the patient's ID.
        modality: of the series; "any" for all.
    """

    pacs: PacsArguments
    study: str | None = None
    dates: str | None = None
    patient_id_file: Path | None = None
    modality: str = "PT"


@dataclass(frozen=True)
class FetchSeries:
    """Write a series to a folder.

    Attributes:
        pacs: where from.
        study: Study Instance UID.
        series: Series Instance UID.
        output: new folder.
    """

    pacs: PacsArguments
    study: str
    series: str
    output: Path


@dataclass(frozen=True)
class StoreFiles:
    """Send DICOM files.

    Attributes:
        pacs: where to.
        files: to send.
    """

    pacs: PacsArguments
    files: tuple[Path, ...]


PacsOptions = FindSeries | FetchSeries | StoreFiles

_URL = "https://pacs.hospital.example/dicom-web"


def add(commands: Any) -> None:
    """Add the command to the parser."""
    pacs = add_command(
        commands,
        "pacs",
        "find and fetch series in a PACS, and store results there, by DICOMweb",
        f"  seganypet pacs find {_URL} --dates 20261201 --credentials-file pacs.txt\n"
        f"  seganypet pacs fetch {_URL} --study UID --series UID --output pet\n"
        f"  seganypet pacs store {_URL} lesion.dcm lesion.sr.dcm",
    )
    actions = pacs.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_find(actions)
    _add_fetch(actions)
    store = add_command(
        actions, "store", "send DICOM files as they are", f"  seganypet pacs store {_URL} lesion.dcm lesion.sr.dcm"
    )
    _add_pacs(store, StoreFiles)
    store.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a DICOM file")


def _add_find(actions: Any) -> None:
    find = add_command(
        actions,
        "find",
        "list series with their UIDs, without names of patients",
        f"  seganypet pacs find {_URL} --dates 20261101-20261201\n"
        f"  seganypet pacs find {_URL} --patient-id-file id.txt --modality any",
    )
    _add_pacs(find, FindSeries)
    find.add_argument("--study", metavar="UID", help="of this study only")
    find.add_argument("--dates", metavar="YYYYMMDD[-YYYYMMDD]", help="of studies of a day, or of a range of days")
    find.add_argument(
        "--patient-id-file", type=Path, metavar="FILE", help="of one patient; holds the ID, which others shall not see"
    )
    find.add_argument("--modality", default="PT", help="PT, CT, SEG, ..., or any (default: PT)")


def _add_fetch(actions: Any) -> None:
    fetch = add_command(
        actions,
        "fetch",
        "write a series to a new folder, as the PACS holds it",
        f"  seganypet pacs fetch {_URL} --study UID --series UID --output pet",
    )
    _add_pacs(fetch, FetchSeries)
    fetch.add_argument("--study", required=True, metavar="UID", help="of the study")
    fetch.add_argument("--series", required=True, metavar="UID", help="of the series")
    fetch.add_argument("--output", required=True, type=Path, metavar="FOLDER", help="a new folder")


def _add_pacs(parser: argparse.ArgumentParser, kind: type) -> None:
    parser.set_defaults(kind=kind)
    parser.add_argument("url", metavar="URL", help=f"of the DICOMweb service, such as {_URL}")
    parser.add_argument("--credentials-file", type=Path, metavar="FILE", help="holds one line: name:password")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="holds a bearer token")
    parser.add_argument(
        "--ca-file", type=Path, metavar="FILE.pem", help="authority that signed the server's certificate"
    )
    parser.add_argument(
        "--allow-http", action="store_true", help="without TLS to another machine: others can read along"
    )
