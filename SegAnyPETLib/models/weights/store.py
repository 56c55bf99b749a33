"""The weights on this machine: a folder that its user can see, move and empty, and an index of what lies in it.

The folder is a per-user data folder, or the one that the environment variable SEGANYPET_HOME names. Its index
(`weights_index`) says what lies in it. Files are named for their content and never written to, so a process that reads
one is not disturbed when the model is fetched again. Loads no torch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_data_path

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.models.weights.index import Acceptance, Index, Installed, changing, read_index
from SegAnyPETLib.models.weights.registry import CHECKPOINT_SUFFIXES, ModelEntry, find_model
from SegAnyPETLib.resources import resource_path
from SegAnyPETLib.volume.atomic import replacing

#: The environment variable that names the folder.
HOME_VARIABLE = "SEGANYPET_HOME"
CHUNK_BYTES = 1 << 22


def home() -> Path:
    """The folder, which need not exist."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named).expanduser().absolute() if named else user_data_path("SegAnyPET", appauthor=False)


def installed() -> dict[str, Installed]:
    """What the folder holds, by the name of the model; bundled models are not in it.

    Raises:
        InputError: the index is damaged.
    """
    return read_index(home()).models


def weights_file(name: str) -> Path:
    """The weights of a model.

    Raises:
        InputError: no model is called so, it is not installed, or its file has gone or changed its size. Whoever reads
            the file computes its SHA-256.
        SegAnyPETError: a bundled model is missing from this installation.
    """
    model = find_model(name)
    return resource_path(model.bundled) if model.bundled is not None else _located(model)[1]


def how_to_install(model: ModelEntry) -> str:
    """The commands that install a model, in one line."""
    accept = " --accept-terms" if model.terms else ""
    return (
        f"run: seganypet weights fetch {model.name}{accept}, "
        f"or with a file at hand: seganypet weights add {model.name} FILE{accept}"
    )


def verify(name: str) -> Installed:
    """Read a model's file again and compare it with what was installed.

    Args:
        name: of a model; nothing is known of a bundled one to compare with, and its record tells what is there.

    Raises:
        InputError: it is not installed, or the file is not what was installed.
    """
    model = find_model(name)
    if model.bundled is not None:
        path = resource_path(model.bundled)
        return Installed(path.name, digest(path), path.stat().st_size, "bundled", model.licence or "", "")
    record, path = _located(model)
    if digest(path) != record.sha256:
        raise _changed(model, record)
    return record


def check_terms(model: ModelEntry, accept_terms: bool) -> None:
    """Make sure that the user has agreed to what is unknown of a model, now or earlier.

    Raises:
        InputError: not so; the message tells what is unknown and how to agree.
    """
    if model.terms is None or accept_terms:
        return
    before = read_index(home()).terms.get(model.name)
    if before is None or before.text != model.terms:
        raise InputError(f"{model.terms} To accept this, give --accept-terms")


def accept(model: ModelEntry) -> None:
    """Store that the user has agreed to the terms of a model; nothing where it has none."""
    if model.terms is not None:
        with _changing() as index:
            _accept(index, model)


def add(name: str, path: Path, accept_terms: bool = False, source: str | None = None) -> Installed:
    """Install a copy of a local checkpoint, which must hold a network that can be loaded.

    Args:
        name: of the model that it is.
        path: the file.
        accept_terms: the user agrees to the model's terms.
        source: what to record as its origin; the file's name where None.

    Raises:
        InputError: the model is bundled or not known, its terms are not accepted, or the file cannot be loaded; nothing
            is changed.
        SegAnyPETError: the folder cannot be written, or the file changes meanwhile.
    """
    model = installable(name)
    check_terms(model, accept_terms)
    sha256 = check_loadable(path)
    with _changing() as index:
        record = _record(model, path, sha256, path.stat().st_size, source or path.name)
        with replacing(home() / record.file, path.suffix.lower()) as temporary:
            if _copy(path, temporary) != sha256:
                raise SegAnyPETError(f"{path.name} changed while it was copied; try again when nothing writes to it")
        _install(index, model, record)
    return record


def adopt(model: ModelEntry, path: Path, sha256: str, file_name: str, source: str) -> Installed:
    """Install a checked file of this folder by moving it.

    Args:
        model: the model that it is.
        path: the file, on the same disk as the folder.
        sha256: of the file.
        file_name: what it is called where it came from.
        source: repository@revision.
    """
    with _changing() as index:
        record = _record(model, Path(file_name), sha256, path.stat().st_size, source)
        os.replace(path, home() / record.file)
        _install(index, model, record)
    return record


def remove(name: str) -> Installed:
    """Delete a model's file; the agreement to its terms stays.

    Raises:
        InputError: the model is bundled, not known or not installed.
        SegAnyPETError: the file cannot be deleted.
    """
    installable(name)
    if name not in installed():
        raise _not_installed(name)
    with _changing() as index:
        record = index.models.pop(name, None)
        if record is None:
            raise _not_installed(name)  # another process was faster
        _unlink(record)
    return record


def installable(name: str) -> ModelEntry:
    """The model of a name, which must not be a bundled one.

    Raises:
        InputError: it is, or no model is called so.
    """
    model = find_model(name)
    if model.bundled is not None:
        raise InputError(f"the weights of {name!r} come with this program; there is nothing to fetch, add or remove")
    return model


def check_loadable(path: Path) -> str:
    """Load a checkpoint to see that it can be.

    Returns:
        Its SHA-256.

    Raises:
        InputError: it cannot.
    """
    if path.suffix.lower() not in CHECKPOINT_SUFFIXES:
        raise InputError(f"{path.name} is no checkpoint; give a file that ends with {' or '.join(CHECKPOINT_SUFFIXES)}")
    from SegAnyPETLib.models.sam.checkpoint import load_checkpoint

    return load_checkpoint(path)[1]


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_folder(path: Path) -> None:
    """Make a folder of the store where it is absent.

    Raises:
        SegAnyPETError: the system refused.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SegAnyPETError(
            f"the folder {path} cannot be made; name another one in the environment variable {HOME_VARIABLE}"
        ) from error


@contextmanager
def _changing() -> Iterator[Index]:
    make_folder(home())
    with changing(home()) as index:
        yield index


def _located(model: ModelEntry) -> tuple[Installed, Path]:
    """The record and the file of a model that is not bundled."""
    record = installed().get(model.name)
    if record is None:
        raise InputError(f"the weights of {model.name!r} are not installed; {how_to_install(model)}")
    path = home() / record.file
    if not path.is_file():
        raise InputError(f"the weights of {model.name!r} have gone from {home()}; {how_to_install(model)}")
    if path.stat().st_size != record.size:
        raise _changed(model, record)
    return record, path


def _accept(index: Index, model: ModelEntry) -> None:
    before = index.terms.get(model.name)
    if model.terms is not None and (before is None or before.text != model.terms):
        index.terms[model.name] = Acceptance(model.terms, _now())


def _record(model: ModelEntry, path: Path, sha256: str, size: int, source: str) -> Installed:
    file = f"{model.name}-{sha256[:16]}{path.suffix.lower()}"
    return Installed(file, sha256, size, source, model.licence or "", _now())


def _install(index: Index, model: ModelEntry, record: Installed) -> None:
    """Enter a file that is in its place; the one before it goes."""
    before = index.models.get(model.name)
    if before is not None and before.file != record.file:
        _unlink(before)
    index.models[model.name] = record
    _accept(index, model)


def _unlink(record: Installed) -> None:
    try:
        (home() / record.file).unlink(missing_ok=True)
    except OSError as error:
        raise SegAnyPETError(f"{record.file} cannot be deleted; close the programs that use it") from error


def _copy(path: Path, target: Path) -> str:
    """Copy a file; SHA-256 of what was copied."""
    sha256 = hashlib.sha256()
    with path.open("rb") as source, target.open("wb") as copy:
        while chunk := source.read(CHUNK_BYTES):
            sha256.update(chunk)
            copy.write(chunk)
    return sha256.hexdigest()


def _not_installed(name: str) -> InputError:
    return InputError(f"the weights of {name!r} are not installed; see: seganypet weights list")


def _changed(model: ModelEntry, record: Installed) -> InputError:
    return InputError(
        f"{record.file} is not the file that was installed: it changed on disk, do not trust it; "
        f"run: seganypet weights remove {model.name}, and then {how_to_install(model)}"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
