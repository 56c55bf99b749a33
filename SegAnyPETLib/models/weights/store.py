"""The store of weights on this machine: a folder that its user can see, move and empty, with an index.

The folder is a per-user data folder, or the one that the environment variable SEGANYPET_HOME names. Its `index` lists
its files. Files are named for their content and never written to, so a process that reads one is not disturbed when the
model is fetched again. Loads no torch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
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
    """Return the folder, which need not exist."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named).expanduser().absolute() if named else user_data_path("SegAnyPET", appauthor=False)


def installed() -> dict[str, Installed]:
    """Return what is installed, by the name of the model, without bundled models.

    Raises:
        InputError: the index is damaged.
    """
    return read_index(home()).models


def weights_file(name: str) -> Path:
    """Return the path of a model's weights; compare what was read from it by `check_unchanged`.

    Raises:
        InputError: no model has this name, it is not installed, or its file is missing, a link, or of another size.
        SegAnyPETError: a bundled model is missing from this installation.
    """
    model = find_model(name)
    return resource_path(model.bundled) if model.bundled is not None else _located(model)[1]


def check_unchanged(model: ModelEntry, sha256: str) -> None:
    """Compare weights that were read with those that were installed.

    Args:
        model: nothing is recorded of a bundled one.
        sha256: of the file that was read.

    Raises:
        InputError: they differ, or the model is not installed any more.
    """
    if model.bundled is not None:
        return
    record = installed().get(model.name)
    if record is None:
        raise InputError(f"the weights of {model.name!r} are not installed; {how_to_install(model)}")
    if record.sha256 != sha256:
        raise _changed(model, record)


def how_to_install(model: ModelEntry) -> str:
    """Return the commands that install a model, in one line."""
    accept = " --accept-terms" if model.terms else ""
    return (
        f"run: seganypet weights fetch {model.name}{accept}, "
        f"or with a file at hand: seganypet weights add {model.name} FILE{accept}"
    )


def verify(name: str) -> Installed:
    """Read a model's file again and compare it with what was installed.

    Args:
        name: of a model; of a bundled one nothing is recorded, and its file is described as it is.

    Raises:
        InputError: it is not installed, or the file is not the one that was installed.
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
    """Check that the user has accepted the terms of a model, now or earlier.

    Raises:
        InputError: the user has not; the message states the terms and how to accept them.
    """
    if model.terms is None or accept_terms:
        return
    before = read_index(home()).terms.get(model.name)
    if before is None or before.text != model.terms:
        raise InputError(f"{model.terms} To accept this, give --accept-terms")


def accept(model: ModelEntry) -> None:
    """Record that the user has accepted the terms of a model, if it has any."""
    if model.terms is not None:
        with _changing() as index:
            _accept(index, model)


def add(name: str, path: Path, accept_terms: bool = False, source: str | None = None) -> Installed:
    """Install a copy of a local checkpoint, which must hold the network of the model.

    Args:
        name: of the model.
        path: the file.
        accept_terms: the user accepts the model's terms.
        source: what to record as its origin; None for the file's name.

    Raises:
        InputError: the model is bundled or not known, its terms are not accepted, or the file cannot be loaded or holds
            another network; nothing is changed.
        SegAnyPETError: the folder cannot be written, or the file changes meanwhile.
    """
    model = installable(name)
    check_terms(model, accept_terms)
    sha256 = check_loadable(path, model)
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
        model: the model.
        path: the file, on the same disk as the folder.
        sha256: of the file.
        file_name: its name in the repository.
        source: repository@revision.
    """
    with _changing() as index:
        record = _record(model, Path(file_name), sha256, path.stat().st_size, source)
        os.replace(path, home() / record.file)
        _install(index, model, record)
    return record


def remove(name: str) -> Installed:
    """Delete a model's file; the acceptance of its terms stays.

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
    """Return the model with a name, which must not be a bundled one.

    Raises:
        InputError: it is bundled, or no model has this name.
    """
    model = find_model(name)
    if model.bundled is not None:
        raise InputError(f"the weights of {name!r} come with this program; there is nothing to fetch, add or remove")
    return model


def check_loadable(path: Path, model: ModelEntry) -> str:
    """Load a checkpoint to check that it can be loaded and holds the network of a model.

    Returns:
        Its SHA-256.

    Raises:
        InputError: it cannot be loaded, or holds another network.
    """
    if path.suffix.lower() not in CHECKPOINT_SUFFIXES:
        raise InputError(
            f"{path.name} is not a checkpoint; give a file that ends with {' or '.join(CHECKPOINT_SUFFIXES)}"
        )
    from SegAnyPETLib.models.sam.checkpoint import load_checkpoint

    net, sha256 = load_checkpoint(path)
    # Embeddings of boxes, which published files may hold, are not used.
    if replace(net.config, boxes=model.network.boxes) != model.network:
        raise InputError(
            f"{path.name} holds another network than {model.name!r} (a window of {net.config.size} voxels and "
            f"{net.config.width} channels instead of {model.network.size} and {model.network.width}); "
            "to use it, give the file itself as the model"
        )
    return sha256


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_folder(path: Path) -> None:
    """Make a folder of the store if it does not exist.

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
    """Return the record and the file of a model that is not bundled."""
    record = installed().get(model.name)
    if record is None:
        raise InputError(f"the weights of {model.name!r} are not installed; {how_to_install(model)}")
    path = home() / record.file
    if path.is_symlink():
        raise _changed(model, record)  # what it points to may change at any time
    if not path.is_file():
        raise InputError(f"the weights of {model.name!r} are missing from {home()}; {how_to_install(model)}")
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
    """Record the installed file in the index and delete the one it replaces."""
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
    """Copy a file, and return the SHA-256 of what was copied."""
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
