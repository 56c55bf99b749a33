"""Download weights from Hugging Face into the store, and check them. Loads no torch until they have arrived.

The hub is first asked for size and SHA-256 of a file, which is then downloaded at that revision. What was interrupted
stays in the store's folder ``downloads`` and is resumed by the next one, also of another process; the library's own
`hf_hub_download` begins again.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from filelock import FileLock, Timeout
from tqdm import tqdm

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.models.weights.hub import RemoteFile, choose, choose_remote, endpoint, hub_errors, suffix_of
from SegAnyPETLib.models.weights.registry import ModelEntry
from SegAnyPETLib.models.weights.store import (
    Installed,
    accept,
    add,
    adopt,
    check_loadable,
    check_terms,
    digest,
    home,
    installable,
    installed,
    make_folder,
    verify,
)

#: Called with the bytes so far and in all; may raise a `SegAnyPETError` to stop.
Progress = Callable[[int, int], None]


def fetch(
    name: str,
    accept_terms: bool = False,
    offline: bool = False,
    progress: Progress | None = None,
    file: str | None = None,
) -> Installed:
    """Install a model's weights from its repository.

    Args:
        name: of the model.
        accept_terms: the user accepts the model's terms; this is recorded.
        offline: use no network, only what is installed or in the cache of huggingface_hub.
        progress: called while the download goes on.
        file: name of the file in the repository, if the names do not tell which one it is.

    Raises:
        InputError: the model is bundled or not known, its terms are not accepted, the repository has no such file or
            several, or the file does not hold the network of the model.
        SegAnyPETError: the hub cannot be reached or refuses, or what arrived is not what it states.
    """
    # Otherwise the library sends usage data to the hub.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    model = installable(name)
    check_terms(model, accept_terms)
    accept(model)
    if offline:
        return _from_cache(model, file)
    wanted = choose_remote(model, file)
    existing = installed().get(name)
    if existing is not None and existing.sha256 == wanted.sha256 and _is_intact(existing):
        return existing
    folder = home() / "downloads"
    make_folder(folder)
    with _locked(folder / f"{wanted.sha256}.lock", model):
        part = folder / f"{wanted.sha256}{suffix_of(wanted.name)}"
        _download(model, wanted, part, progress)
        return _adopt_checked(model, part, wanted)


def _is_intact(record: Installed) -> bool:
    path = home() / record.file
    return path.is_file() and digest(path) == record.sha256


def _adopt_checked(model: ModelEntry, part: Path, wanted: RemoteFile) -> Installed:
    """Install a complete download, or delete it if it is not right."""
    try:
        if digest(part) != wanted.sha256:
            raise SegAnyPETError(
                f"what arrived of {wanted.name} is not what the hub states (SHA-256) and was deleted; try again"
            )
        check_loadable(part, model)
        return adopt(model, part, wanted.sha256, wanted.name, f"{model.repository}@{wanted.revision}")
    except SegAnyPETError:
        part.unlink(missing_ok=True)
        raise


def _download(model: ModelEntry, wanted: RemoteFile, part: Path, progress: Progress | None) -> None:
    """Complete a file, from where an earlier attempt has left it."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(str(model.repository), wanted.name, revision=wanted.revision, endpoint=endpoint())
    with part.open("ab") as file:
        received = file.tell()
        if received > wanted.size:
            received = file.truncate(0)
        if shutil.disk_usage(part.parent).free < wanted.size - received:
            raise SegAnyPETError(f"{part.parent} has no room for {wanted.size / 1e6:.0f} MB; make some and try again")
        counted = _Counted(file, wanted.size, progress)
        with hub_errors(model):
            http_get(
                url,
                cast(BinaryIO, counted),
                resume_size=received,
                headers=build_hf_headers(library_name="seganypet"),
                expected_size=wanted.size,
                displayed_filename=model.name,
                tqdm_class=_SilentBar,
            )


class _Counted:
    """A file that reports its length as it grows, and refuses to grow beyond the expected one."""

    def __init__(self, file: BinaryIO, size: int, progress: Progress | None) -> None:
        self._file, self._size, self._progress = file, size, progress

    def write(self, data: bytes) -> int:
        if self._file.tell() + len(data) > self._size:
            raise OSError("more arrives than the hub states")
        written = self._file.write(data)
        if self._progress is not None:
            self._progress(self._file.tell(), self._size)
        return written

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        return self._file.truncate(size)


class _SilentBar(tqdm):
    """Hide the library's own progress bar; the caller shows one."""

    def __init__(self, *arguments: object, **options: object) -> None:
        options.pop("name", None)
        super().__init__(*arguments, **{**options, "disable": True})


def _from_cache(model: ModelEntry, file: str | None) -> Installed:
    """Install what is in the cache of huggingface_hub, unless it is installed already."""
    if model.name in installed():
        return verify(model.name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(str(model.repository), local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise InputError(
            f"the weights of {model.name!r} are not on this machine; with a network, download them from "
            f"https://huggingface.co/{model.repository}, and run here: seganypet weights add {model.name} FILE"
        ) from error
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    path = folder / choose(model, names, file)
    stated = path.resolve().name  # the cache names large files for their SHA-256
    if re.fullmatch(r"[0-9a-f]{64}", stated) and digest(path) != stated:
        raise SegAnyPETError(f"{path.name} in the cache of huggingface_hub is damaged; delete it and download it again")
    return add(model.name, path, source=f"{model.repository}@{folder.name}")


@contextmanager
def _locked(lock: Path, model: ModelEntry) -> Iterator[None]:
    """Keep a second process from downloading the same file."""
    try:
        with FileLock(lock, timeout=0):
            yield
    except Timeout as error:
        raise SegAnyPETError(f"another process is fetching {model.name!r}; wait for it") from error
