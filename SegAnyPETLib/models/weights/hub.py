"""Ask the hub, Hugging Face or a mirror of it, about a model's files, and translate its errors."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.models.weights.registry import CHECKPOINT_SUFFIXES, ModelEntry
from SegAnyPETLib.models.weights.store import home

#: Seconds to wait for a silent hub.
TIMEOUT_S = 30
#: Maximum size of a checkpoint of the family; see `sam.archive`.
MAX_BYTES = 4 << 30


@dataclass(frozen=True)
class RemoteFile:
    """A file as the hub describes it.

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


def choose_remote(model: ModelEntry, file: str | None) -> RemoteFile:
    """Find the file of a model in its repository.

    Args:
        model: the model.
        file: its name there; needed if the names do not tell which one it is.

    Raises:
        InputError: no file, or several, may be meant.
        SegAnyPETError: the hub cannot be reached, refuses, or does not state what the file is.
    """
    from huggingface_hub import HfApi

    with hub_errors(model):
        hub = HfApi(endpoint=endpoint(), library_name="seganypet")
        info = hub.model_info(str(model.repository), files_metadata=True, timeout=TIMEOUT_S)
        siblings = {sibling.rfilename: sibling for sibling in info.siblings or []}
        revision = str(info.sha)
    name = choose(model, list(siblings), file)
    lfs = siblings[name].lfs
    if lfs is None or not re.fullmatch(r"[0-9a-f]{64}", str(lfs.sha256)):
        raise SegAnyPETError(
            f"the hub states no SHA-256 of {name}; download it from https://huggingface.co/{model.repository} by hand "
            f"and run: seganypet weights add {model.name} FILE"
        )
    if not 0 < int(lfs.size) <= MAX_BYTES:
        raise InputError(f"{name} has {int(lfs.size)} bytes, which no checkpoint of this family has")
    return RemoteFile(name, int(lfs.size), lfs.sha256, revision)


def choose(model: ModelEntry, names: list[str], file: str | None) -> str:
    """Choose the file of a repository that holds a model.

    Args:
        model: the model.
        names: of all files.
        file: the user's choice, or None.

    Raises:
        InputError: none or several may be meant, or the chosen one is not there; the message names what is.
    """
    weights = sorted(name for name in names if suffix_of(name) in CHECKPOINT_SUFFIXES)
    listed = ", ".join(name[:80] for name in weights[:12]) or "none"
    if file is not None:
        if file not in weights:
            raise InputError(f"{model.repository} has no weights file {file!r}; it has: {listed}")
        return file
    matching = [name for name in weights if _matches(name, model.patterns)]
    if len(matching) == 1:
        return matching[0]
    found = "several files" if matching else "no file"
    of_these = f"; it has: {listed}" if not matching else f": {', '.join(name[:80] for name in matching[:12])}"
    raise InputError(
        f"{model.repository} has {found} that may be {model.name!r}{of_these}; "
        f"choose one with: seganypet weights fetch {model.name} --file NAME"
    )


@contextmanager
def hub_errors(model: ModelEntry) -> Iterator[None]:
    """Translate the exceptions of huggingface_hub into one-line errors."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HTTPError,
        OfflineModeIsEnabled,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
    )

    where = f"https://huggingface.co/{model.repository}"
    log = logging.getLogger("huggingface_hub")
    level = log.level
    log.setLevel(logging.ERROR)  # it would warn of every retry
    try:
        yield
    except GatedRepoError as error:
        raise SegAnyPETError(
            f"the authors of {where} ask you to log in and agree there first; then run: hf auth login, and try again"
        ) from error
    except RepositoryNotFoundError as error:
        raise SegAnyPETError(f"the hub knows no public repository {model.repository}; see whether it moved") from error
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
            f"elsewhere and run: seganypet weights add {model.name} FILE"
        ) from error
    except OSError as error:
        raise SegAnyPETError(
            f"the download of {model.name!r} did not end well; check the free space in {home()} and run this again"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SegAnyPETError(f"what answers at {endpoint()} is not a Hugging Face hub; check HF_ENDPOINT") from error
    finally:
        log.setLevel(level)


def endpoint() -> str:
    """Return the address of the hub, or of the mirror that the environment names.

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
        raise InputError("the environment variable HF_ENDPOINT is not the address of a server; correct or unset it")
    return address


def suffix_of(name: str) -> str:
    """Return the ending of a file's name in a repository, in lower case."""
    return PurePosixPath(name).suffix.lower()


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    last = PurePosixPath(name).name.lower()
    return any(fnmatchcase(last, pattern) for pattern in patterns)
