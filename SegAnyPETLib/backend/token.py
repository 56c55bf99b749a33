"""The secret that a server asks its clients for."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from pathlib import Path

from SegAnyPETLib.errors import InputError

#: The environment variable that holds the token if no file is named.
TOKEN_VARIABLE = "SEGANYPET_TOKEN"

MIN_TOKEN = 16
MAX_TOKEN = 512


def check_token(text: str) -> str:
    """Return a token without the white space around it.

    Raises:
        InputError: it is too short or too long, or holds other than visible ASCII characters.
    """
    token = text.strip()
    if not re.fullmatch(rf"[!-~]{{{MIN_TOKEN},{MAX_TOKEN}}}", token):
        raise InputError(
            f"a token must have {MIN_TOKEN} to {MAX_TOKEN} letters, digits or signs without spaces; "
            "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return token


def read_token(file: Path | None, environment: Mapping[str, str]) -> str | None:
    """Return the token from a file, or else from the environment; None if neither is given.

    Raises:
        InputError: the file cannot be read, or its content is not a token.
    """
    if file is None:
        text = environment.get(TOKEN_VARIABLE)
        return None if text is None else check_token(text)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"the token file {file} cannot be read: {error.strerror}") from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"the token file {file} is saved as UTF-16; save it as plain text (ASCII or UTF-8)")
    return check_token(content.removeprefix(codecs.BOM_UTF8).decode("ascii", errors="replace"))


def readable_by_others(file: Path) -> bool:
    """Return whether other users of this machine, also those of the file's group, may read a file."""
    return bool(file.stat().st_mode & 0o044)
