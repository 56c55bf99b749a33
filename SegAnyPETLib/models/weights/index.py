"""The index of a folder with weights: a JSON file that is validated when read, and changed by one process at a time.

It records the file of each model, its SHA-256, origin and licence, and which terms the user has accepted. Paths in it
are file names, so the folder may be moved. The checks are written by hand: commands that only list models would take
a third of a second longer with pydantic.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.models.weights.registry import CHECKPOINT_SUFFIXES
from SegAnyPETLib.volume.atomic import replacing

INDEX = "index.json"
_WEIGHTS_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]*({'|'.join(map(re.escape, CHECKPOINT_SUFFIXES))})")
#: Version of the index's layout; another one is refused.
VERSION = 1
#: Seconds to wait for another process that changes the folder; copying a checkpoint takes seconds.
PATIENCE_S = 120


@dataclass(frozen=True)
class Installed:
    """Weights in the folder.

    Attributes:
        file: name of the file in the folder.
        sha256: of the file when it was installed, in hexadecimal digits.
        size: of the file, in bytes.
        source: repository@revision, or the name of the local file that was added.
        licence: of the weights; "" if none is stated.
        added: time in UTC (ISO 8601).
    """

    file: str
    sha256: str
    size: int
    source: str
    licence: str
    added: str


@dataclass(frozen=True)
class Acceptance:
    """A user's acceptance of terms.

    Attributes:
        text: the terms.
        accepted: time in UTC (ISO 8601).
    """

    text: str
    accepted: str


@dataclass
class Index:
    """Installed weights and accepted terms, by the name of the model."""

    models: dict[str, Installed] = field(default_factory=dict)
    terms: dict[str, Acceptance] = field(default_factory=dict)


def read_index(folder: Path) -> Index:
    """Read the index of a folder; an empty one if the folder has none.

    Raises:
        InputError: the index cannot be read, is damaged, or is of another version.
    """
    path = folder / INDEX
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Index()
    except OSError as error:
        raise InputError(f"{path} cannot be read; check your rights to it") from error
    except UnicodeDecodeError as error:
        raise _damaged(path) from error
    try:
        content = json.loads(text)
        if content["version"] != VERSION:
            raise InputError(f"{path} was written by another version of this program; use that one or delete the file")
        return Index(
            {name: _checked_model(record) for name, record in content["models"].items()},
            {name: _checked_terms(record) for name, record in content["terms"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path) from error


@contextmanager
def changing(folder: Path) -> Iterator[Index]:
    """Lock the folder, yield its index, and write it back if the block succeeds.

    Raises:
        InputError: the index is damaged.
        SegAnyPETError: another process holds the folder, or the system refused something in the block.
    """
    try:
        with FileLock(folder / ".lock", timeout=PATIENCE_S):
            index = read_index(folder)
            yield index
            content = {"version": VERSION, **asdict(index)}
            with replacing(folder / INDEX, ".json") as temporary:
                temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except Timeout as error:
        raise SegAnyPETError(f"another process is changing {folder}; try again when it is done") from error
    except OSError as error:
        raise SegAnyPETError(f"{folder} cannot be changed; check the free space and your rights there") from error


def _checked_model(record: dict[str, Any]) -> Installed:
    found = Installed(**record)
    texts = (found.file, found.sha256, found.source, found.licence, found.added)
    # Another name would let the index have files deleted that are not weights of this folder, or itself.
    named = all(isinstance(t, str) for t in texts) and _WEIGHTS_NAME.fullmatch(found.file)
    if not named or not re.fullmatch(r"[0-9a-f]{64}", found.sha256) or type(found.size) is not int:
        raise ValueError("a record of the index")
    return found


def _checked_terms(record: dict[str, Any]) -> Acceptance:
    found = Acceptance(**record)
    if not isinstance(found.text, str) or not isinstance(found.accepted, str):
        raise ValueError("an agreement of the index")
    return found


def _damaged(path: Path) -> InputError:
    return InputError(f"{path} is damaged; delete it and fetch or add the weights again")
