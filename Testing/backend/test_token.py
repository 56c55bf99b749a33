import pytest

from SegAnyPETLib.backend.token import TOKEN_VARIABLE, read_token, readable_by_others
from SegAnyPETLib.errors import InputError

TOKEN = "0123456789abcdef"


def test_a_token_comes_from_a_file_before_the_environment(tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    assert read_token(file, {TOKEN_VARIABLE: "another-" + TOKEN}) == TOKEN
    assert read_token(None, {TOKEN_VARIABLE: TOKEN}) == TOKEN
    assert read_token(None, {}) is None


@pytest.mark.parametrize(
    "text", ["", "0123456789abcde", "0123456789 abcdef", "0123456789abcdéf", "x" * 513, "a\nb" * 9]
)
def test_a_token_that_is_short_or_no_plain_text_is_refused_and_not_shown(text, tmp_path):
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")
    for given in ((file, {}), (None, {TOKEN_VARIABLE: text})):
        with pytest.raises(InputError, match="a token must have 16 to 512") as told:
            read_token(*given)
        assert not text or text not in str(told.value)


def test_a_token_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_token(tmp_path / "none", {})


def test_a_token_file_may_be_open_to_others(tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    assert not readable_by_others(file)
    for mode in (0o640, 0o604, 0o644):
        file.chmod(mode)
        assert readable_by_others(file)


def test_a_byte_order_mark_is_passed_over_and_utf_16_is_named(tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN, encoding="utf-8-sig")
    assert read_token(file, {}) == TOKEN
    file.write_text(TOKEN, encoding="utf-16")
    with pytest.raises(InputError, match="is saved as UTF-16; save it as plain text"):
        read_token(file, {})
