"""What a PACS asks its users for, read from a file: a command line is seen by others."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from SegAnyPETLib.errors import InputError

MAX_BYTES = 16384


@dataclass(frozen=True)
class Credentials:
    """A name with a password (HTTP Basic), a bearer token, or nothing.

    Attributes:
        user: name, None without one.
        password: of the user.
        token: None without one.
    """

    user: str | None = None
    password: str = field(default="", repr=False)
    token: str | None = field(default=None, repr=False)


def read_credentials(credentials_file: Path | None, token_file: Path | None) -> Credentials:
    """Read credentials from one of two files, or return none where neither is named.

    Args:
        credentials_file: one line ``name:password``.
        token_file: one line, the bearer token.

    Raises:
        InputError: both are named, or a file cannot be read or holds something else; its content is not repeated.
    """
    if credentials_file is not None and token_file is not None:
        raise InputError("give --credentials-file or --token-file, not both")
    if credentials_file is not None:
        user, colon, password = read_line(credentials_file).partition(":")
        if not (user and colon and password):
            raise InputError(f"{credentials_file.name} holds no credentials; write one line: name:password")
        return Credentials(user, password)
    if token_file is not None:
        token = read_line(token_file)
        if not re.fullmatch(r"[!-~]+", token):
            raise InputError(f"{token_file.name} holds no token; write it as one line without spaces")
        return Credentials(token=token)
    return Credentials()


def read_line(file: Path) -> str:
    """Return the only line of a small text file.

    Raises:
        InputError: it cannot be read, or holds other than one line.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig").strip()
    except OSError as error:
        raise InputError(f"{file.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise InputError(f"{file.name} is not plain text; save it as UTF-8") from None
    if len(content) > MAX_BYTES or not text or len(text.splitlines()) != 1:
        raise InputError(f"{file.name} must hold one line and nothing else")
    return text
