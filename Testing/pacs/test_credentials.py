"""Credentials come from files."""

from pathlib import Path

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pacs.credentials import Credentials, read_credentials


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secret.txt"


def test_a_name_and_a_password_that_may_hold_colons(file: Path) -> None:
    file.write_text("reader:a:b\n")
    assert read_credentials(file, None) == Credentials("reader", "a:b")


def test_a_token_of_any_length(file: Path) -> None:
    file.write_text("x" * 2000)
    assert read_credentials(None, file) == Credentials(token="x" * 2000)


def test_none_without_a_file() -> None:
    assert read_credentials(None, None) == Credentials()


@pytest.mark.parametrize("content", [b"", b"nocolon", b"a:b\nc:d", b"\xff\xfe", b"a:" + b"x" * 20000])
def test_other_content_is_refused_and_not_repeated(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(InputError) as refusal:
        read_credentials(file, None)
    assert "nocolon" not in str(refusal.value)


def test_a_printed_object_shows_no_secret() -> None:
    assert "hidden" not in repr(Credentials("reader", "hidden", "hidden"))
