"""Weights from Hugging Face into the store, checked on arrival. Loads no torch until they have arrived.

What the hub states of a file (size and SHA-256) is asked first, and the file is asked for at that revision. What an
interruption leaves of it stays in the store's folder ``downloads`` and is gone on with the next time, from whatever
process; the library's own `hf_hub_download` begins again.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from tqdm import tqdm

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.models.registry import CHECKPOINT_SUFFIXES, ModelEntry
from SegAnyPETLib.models.store import (
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

#: Seconds until a silent hub is given up on.
TIMEOUT_S = 30
#: No checkpoint of the family is larger; see `sam.archive`.
MOST_BYTES = 4 << 30

#: Called with the bytes that are there and the bytes that there will be; may raise a `SegAnyPETError` to stop.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RemoteFile:
    """A file as the hub states it.

    Attributes:
        name: path in the repository.
        size: in bytes.
        sha256: of its content, in hexadecimal digits.
        revision: commit that it belongs to.
    """

    name: str
    size: int
    sha256: str
    revision: str


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
        accept_terms: the user agrees to the model's terms; the answer is stored.
        offline: use no network, only what is installed or in the cache of huggingface_hub.
        progress: told of the download as it goes on.
        file: name of the file in the repository, where its name does not tell which one it is.

    Raises:
        InputError: the model is bundled or not known, its terms are not accepted, the repository has no such file or
            several, or the file is no checkpoint.
        SegAnyPETError: the hub cannot be reached, refuses, or what arrived is not what it states.
    """
    # Without this the library tells the hub what it runs beside, and asks it what that might be.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    chosen = installable(name)
    check_terms(chosen, accept_terms)
    accept(chosen)
    if offline:
        return _from_cache(chosen, file)
    wanted = _choose_remote(chosen, file)
    there = installed().get(name)
    if there is not None and there.sha256 == wanted.sha256 and _is_intact(there):
        return there
    folder = home() / "downloads"
    make_folder(folder)
    with _alone(folder / f"{wanted.sha256}.lock", chosen):
        part = folder / f"{wanted.sha256}{_suffix(wanted.name)}"
        _download(chosen, wanted, part, progress)
        return _adopt_checked(chosen, part, wanted)


def _is_intact(record: Installed) -> bool:
    path = home() / record.file
    return path.is_file() and digest(path) == record.sha256


def _adopt_checked(chosen: ModelEntry, part: Path, wanted: RemoteFile) -> Installed:
    """Install what has arrived, or delete it."""
    try:
        if digest(part) != wanted.sha256:
            raise SegAnyPETError(
                f"what arrived of {wanted.name} is not what the hub states (SHA-256) and was deleted; try again"
            )
        check_loadable(part)
        return adopt(chosen, part, wanted.sha256, wanted.name, f"{chosen.repository}@{wanted.revision}")
    except SegAnyPETError:
        part.unlink(missing_ok=True)
        raise


def _choose_remote(chosen: ModelEntry, file: str | None) -> RemoteFile:
    """The file of a model in its repository."""
    from huggingface_hub import HfApi

    with _told(chosen):
        hub = HfApi(endpoint=_endpoint(), library_name="seganypet")
        info = hub.model_info(str(chosen.repository), files_metadata=True, timeout=TIMEOUT_S)
        siblings = {sibling.rfilename: sibling for sibling in info.siblings or []}
        revision = str(info.sha)
    name = choose(chosen, list(siblings), file)
    about = siblings[name].lfs
    if about is None or not re.fullmatch(r"[0-9a-f]{64}", str(about.sha256)):
        raise SegAnyPETError(
            f"the hub states no SHA-256 of {name}; download it from https://huggingface.co/{chosen.repository} by hand "
            f"and run: seganypet weights add {chosen.name} FILE"
        )
    if not 0 < int(about.size) <= MOST_BYTES:
        raise InputError(f"{name} has {int(about.size)} bytes, which no checkpoint of this family has")
    return RemoteFile(name, int(about.size), about.sha256, revision)


def choose(chosen: ModelEntry, names: list[str], file: str | None) -> str:
    """Which of a repository's files holds a model.

    Args:
        chosen: the model.
        names: of all files.
        file: the user's choice, or None.

    Raises:
        InputError: none or several may be meant, or the chosen one is not there; the message names what is.
    """
    weights = sorted(name for name in names if _suffix(name) in CHECKPOINT_SUFFIXES)
    listed = ", ".join(name[:80] for name in weights[:12]) or "none"
    if file is not None:
        if file not in weights:
            raise InputError(f"{chosen.repository} has no weights file {file!r}; it has: {listed}")
        return file
    matching = [name for name in weights if _matches(name, chosen.patterns)]
    if len(matching) == 1:
        return matching[0]
    found = "several files" if matching else "no file"
    of_these = f"; it has: {listed}" if not matching else f": {', '.join(name[:80] for name in matching[:12])}"
    raise InputError(
        f"{chosen.repository} has {found} that may be {chosen.name!r}{of_these}; "
        f"choose one with: seganypet weights fetch {chosen.name} --file NAME"
    )


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    last = PurePosixPath(name).name.lower()
    return any(fnmatchcase(last, pattern) for pattern in patterns)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _download(chosen: ModelEntry, wanted: RemoteFile, part: Path, progress: Progress | None) -> None:
    """Bring a file to its whole length, from where an earlier attempt has left it."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(str(chosen.repository), wanted.name, revision=wanted.revision, endpoint=_endpoint())
    with part.open("ab") as file:
        there = file.tell()
        if there > wanted.size:
            there = file.truncate(0)
        if shutil.disk_usage(part.parent).free < wanted.size - there:
            raise SegAnyPETError(f"{part.parent} has no room for {wanted.size / 1e6:.0f} MB; make some and try again")
        counted = _Counted(file, wanted.size, progress)
        with _told(chosen):
            http_get(
                url,
                cast(BinaryIO, counted),
                resume_size=there,
                headers=build_hf_headers(library_name="seganypet"),
                expected_size=wanted.size,
                displayed_filename=chosen.name,
                tqdm_class=_SilentBar,
            )


class _Counted:
    """A file that tells how much of it is there, and takes no more than there should be."""

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
    """The library's own progress bar is not shown: whoever fetches shows one."""

    def __init__(self, *arguments: object, **options: object) -> None:
        options.pop("name", None)
        super().__init__(*arguments, **{**options, "disable": True})


def _from_cache(chosen: ModelEntry, file: str | None) -> Installed:
    """Install what is in the cache of huggingface_hub, where it is not installed already."""
    if chosen.name in installed():
        return verify(chosen.name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(str(chosen.repository), local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise InputError(
            f"the weights of {chosen.name!r} are not on this machine; with a network, download them from "
            f"https://huggingface.co/{chosen.repository}, and run here: seganypet weights add {chosen.name} FILE"
        ) from error
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    path = folder / choose(chosen, names, file)
    stated = path.resolve().name  # the cache names large files for their SHA-256
    if re.fullmatch(r"[0-9a-f]{64}", stated) and digest(path) != stated:
        raise SegAnyPETError(f"{path.name} in the cache of huggingface_hub is damaged; delete it and download it again")
    return add(chosen.name, path, source=f"{chosen.repository}@{folder.name}")


@contextmanager
def _told(chosen: ModelEntry) -> Iterator[None]:
    """What may go wrong between here and the hub, in one line each."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HTTPError,
        OfflineModeIsEnabled,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
    )

    where = f"https://huggingface.co/{chosen.repository}"
    log = logging.getLogger("huggingface_hub")
    level = log.level
    log.setLevel(logging.ERROR)  # it would tell of every new attempt
    try:
        yield
    except GatedRepoError as error:
        raise SegAnyPETError(
            f"the authors of {where} ask you to log in and agree there first; then run: hf auth login, and try again"
        ) from error
    except RepositoryNotFoundError as error:
        raise SegAnyPETError(f"the hub knows no public repository {chosen.repository}; see whether it moved") from error
    except RemoteEntryNotFoundError as error:
        raise SegAnyPETError(f"the hub no longer has this file of {where}; try again") from error
    except HfHubHTTPError as error:
        raise SegAnyPETError(
            f"the hub refuses to give {where} (HTTP {error.response.status_code}); try again later"
        ) from error
    except OfflineModeIsEnabled as error:
        raise SegAnyPETError("the network is switched off (HF_HUB_OFFLINE); unset it, or give --offline") from error
    except HTTPError as error:
        raise SegAnyPETError(
            f"the hub cannot be reached, or the connection broke; run this again to go on, or download {where} "
            f"elsewhere and run: seganypet weights add {chosen.name} FILE"
        ) from error
    except OSError as error:
        raise SegAnyPETError(
            f"the download of {chosen.name!r} did not end well; check the free space in {home()} and run this again"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SegAnyPETError(f"what answers at {_endpoint()} is no Hugging Face hub; check HF_ENDPOINT") from error
    finally:
        log.setLevel(level)


@contextmanager
def _alone(lock: Path, chosen: ModelEntry) -> Iterator[None]:
    """No second process downloads the same file."""
    try:
        with FileLock(lock, timeout=0):
            yield
    except Timeout as error:
        raise SegAnyPETError(f"another process is fetching {chosen.name!r}; wait for it") from error


def _endpoint() -> str:
    """The hub, or the mirror that the environment names.

    Raises:
        InputError: the environment names something else.
    """
    address = os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise InputError("the environment variable HF_ENDPOINT holds no address of a server; correct or unset it")
    return address
