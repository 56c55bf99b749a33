"""``seganypet weights``: what is installed, and how more is."""

from __future__ import annotations

from pathlib import Path

from tqdm import tqdm

from SegAnyPETLib.commands.arguments.weights import (
    AddWeights,
    FetchWeights,
    ListWeights,
    RemoveWeights,
    VerifyWeights,
    WeightsOptions,
)
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.weights import store
from SegAnyPETLib.models.weights.download import fetch
from SegAnyPETLib.models.weights.registry import MODELS, ModelEntry
from SegAnyPETLib.models.weights.store import Installed
from SegAnyPETLib.notice import NOTICE

#: Digits of a SHA-256 that tell files apart at a glance.
SHA_DIGITS = 12


def run(options: WeightsOptions) -> None:
    """List, fetch, add, verify or remove weights.

    Raises:
        InputError: the model is not known, its terms are not accepted, or a file cannot be used.
        SegAnyPETError: the hub or the disk refuses.
    """
    match options:
        case ListWeights():
            _list()
        case FetchWeights():
            _fetch(options)
        case AddWeights():
            _tell(options.name, store.add(options.name, options.file, options.accept_terms))
        case VerifyWeights():
            _verify(options)
        case RemoveWeights():
            _remove(options)


def _list() -> None:
    print(table())
    print(f"folder: {store.home()} (the environment variable {store.HOME_VARIABLE} moves it)")
    print(NOTICE)


def table() -> str:
    """Return a table of the known models, one line each, and of what is installed."""
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


def _fetch(options: FetchWeights) -> None:
    with tqdm(desc=options.name, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def show(there: int, whole: int) -> None:
            bar.total = whole
            bar.update(there - bar.n)

        record = fetch(
            options.name,
            accept_terms=options.accept_terms,
            offline=options.offline,
            progress=show,
            file=options.file,
        )
    _tell(options.name, record)


def _verify(options: VerifyWeights) -> None:
    bundled = [model.name for model in MODELS.values() if model.bundled is not None]
    names = [options.name] if options.name else [*bundled, *(n for n in store.installed() if n in MODELS)]
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


def _remove(options: RemoveWeights) -> None:
    record = store.remove(options.name)
    print(f"{options.name}: removed {store.home() / record.file} ({_size(record)})")


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
