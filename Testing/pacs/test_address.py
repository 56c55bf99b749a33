"""Where images and credentials may be sent."""

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pacs.address import PacsAddress


@pytest.mark.parametrize("text", ["https://p.example/dicom-web", "http://127.0.0.1:80", "http://localhost:1/a"])
def test_tls_or_this_machine_is_taken(text: str) -> None:
    assert PacsAddress(text).secure == text.startswith("https")


def test_plain_http_to_another_machine_must_be_asked_for() -> None:
    with pytest.raises(InputError, match="--allow-http"):
        PacsAddress("http://p.example/dicom-web")
    assert not PacsAddress("http://p.example/dicom-web", allow_http=True).secure


@pytest.mark.parametrize(
    "text",
    ["", "p.example", "ftp://p.example", "https://", "https://p:x", "https://u:secret@p", "https://p?PatientID=secret"],
)
def test_what_is_no_address_or_holds_secrets_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        PacsAddress(text)
    assert "secret" not in str(refusal.value)
