"""``seganypet pacs``: series from a PACS, results to it."""

from __future__ import annotations

from tqdm import tqdm

from SegAnyPETLib.commands.arguments.pacs import FetchSeries, FindSeries, PacsArguments, PacsOptions, StoreFiles
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.pacs.address import PacsAddress
from SegAnyPETLib.pacs.archive import Archive, FoundSeries, Query
from SegAnyPETLib.pacs.connection import connect
from SegAnyPETLib.pacs.credentials import read_credentials, read_line


def run(options: PacsOptions) -> None:
    """Find, fetch or store.

    Raises:
        InputError: an option, a file or a folder cannot be used.
        BackendError: the PACS cannot be reached or refuses.
        ModuleNotFoundError: dicomweb-client is not installed.
    """
    archive = _archive(options.pacs)
    match options:
        case FindSeries():
            _find(archive, options)
        case FetchSeries():
            with tqdm(desc="fetch", unit=" objects", disable=None, leave=False) as bar:
                count = archive.fetch(options.study, options.series, options.output, bar.update)
            print(f"{options.output}: {count} objects")
        case StoreFiles():
            with tqdm(desc="store", unit=" objects", total=len(options.files), disable=None, leave=False) as bar:
                count = archive.store(options.files, bar.update)
            print(f"stored: {count} objects")
    print(NOTICE)


def _archive(pacs: PacsArguments) -> Archive:
    address = PacsAddress(pacs.url, pacs.allow_http)
    credentials = read_credentials(pacs.credentials_file, pacs.token_file)
    if pacs.ca_file is not None and not address.secure:
        raise InputError("--ca-file is for addresses that begin with https://")
    return Archive(address, connect(address, credentials, pacs.ca_file))


def _find(archive: Archive, options: FindSeries) -> None:
    patient_id = None if options.patient_id_file is None else read_line(options.patient_id_file)
    modality = None if options.modality == "any" else options.modality
    found = archive.find(Query(options.study, patient_id, options.dates, modality))
    rows = [("DATE", "MODALITY", "OBJECTS", "STUDY", "SERIES", "DESCRIPTION"), *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    print(f"{len(found)} series")


def _row(found: FoundSeries) -> tuple[str, ...]:
    count = "-" if found.instances is None else str(found.instances)
    row = (found.date or "-", found.modality, count, found.study_uid, found.series_uid, found.description)
    # What a server sends may hold control sequences of terminals.
    return tuple("".join(sign if sign.isprintable() else "?" for sign in text) for text in row)
