"""``seganypet weights``: what is installed, and how more is."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.weights import store
from SegAnyPETLib.models.weights.download import fetch
from SegAnyPETLib.models.weights.registry import MODELS, ModelEntry
from SegAnyPETLib.models.weights.store import Installed
from SegAnyPETLib.notice import NOTICE

#: Digits of a SHA-256 that tell files apart at a glance.
SHA_DIGITS = 12


def run(arguments: argparse.Namespace) -> None:
    """List, fetch, add, verify or remove weights.

    Raises:
        InputError: the model is not known, its terms are not accepted, or a file cannot be used.
        SegAnyPETError: the hub or the disk refuses.
    """
    actions = {"list": _list, "fetch": _fetch, "add": _add, "verify": _verify, "remove": _remove}
    actions[arguments.action](arguments)


def _list(_: argparse.Namespace) -> None:
    print(table())
    print(f"folder: {store.home()} (the environment variable {store.HOME_VARIABLE} moves it)")
    print(NOTICE)


def table() -> str:
    """What is known and what of it is installed, a model a line."""
    there = store.installed()
    rows: list[tuple[str, ...]] = [("NAME", "FAMILY", "LICENCE", "INSTALLED", "SIZE", "SHA-256", "WHAT IT IS")]
    rows += [_row(model, there.get(model.name)) for model in MODELS.values()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def _row(model: ModelEntry, record: Installed | None) -> tuple[str, ...]:
    licence = (model.licence or "none stated").partition(";")[0]
    if model.bundled is not None:
        record = store.verify(model.name)
    if record is None:
        return model.name, model.family, licence, "no", "-", "-", model.summary
    there = "bundled" if model.bundled is not None else "yes" if (store.home() / record.file).is_file() else "file gone"
    return model.name, model.family, licence, there, _size(record), record.sha256[:SHA_DIGITS], model.summary


def _fetch(arguments: argparse.Namespace) -> None:
    with tqdm(desc=arguments.name, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def show(there: int, whole: int) -> None:
            bar.total = whole
            bar.update(there - bar.n)

        record = fetch(
            arguments.name,
            accept_terms=arguments.accept_terms,
            offline=arguments.offline,
            progress=show,
            file=arguments.file,
        )
    _tell(arguments.name, record)


def _add(arguments: argparse.Namespace) -> None:
    _tell(arguments.name, store.add(arguments.name, arguments.file, arguments.accept_terms))


def _verify(arguments: argparse.Namespace) -> None:
    bundled = [model.name for model in MODELS.values() if model.bundled is not None]
    names = [arguments.name] if arguments.name else [*bundled, *(n for n in store.installed() if n in MODELS)]
    faults = []
    for name in names:
        try:
            record = store.verify(name)
        except InputError as error:
            faults.append(str(error))
            continue
        print(f"{name}: {'bundled' if name in bundled else 'unchanged'}, SHA-256 {record.sha256}")
    if faults:
        raise InputError("; ".join(faults))


def _remove(arguments: argparse.Namespace) -> None:
    record = store.remove(arguments.name)
    print(f"{arguments.name}: removed {store.home() / record.file} ({_size(record)})")


def _tell(name: str, record: Installed) -> None:
    rows = [
        ("model", name),
        ("file", f"{_path(record)} ({_size(record)})"),
        ("SHA-256", record.sha256),
        ("source", record.source),
        ("licence", record.licence or "none stated; you accepted this, see index.json there"),
    ]
    for label, text in rows:
        print(f"{label:8} {text}")
    print(NOTICE)


def _path(record: Installed) -> Path:
    return store.home() / record.file


def _size(record: Installed) -> str:
    return f"{record.size / 1e6:.1f} MB"
