"""Servers that answer what they should not: each ends in one error that repeats nothing of it."""

import http.server
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from SegAnyPETLib.errors import BackendError
from SegAnyPETLib.pacs.address import PacsAddress
from SegAnyPETLib.pacs.archive import Archive, Query
from SegAnyPETLib.pacs.connection import connect
from SegAnyPETLib.pacs.credentials import Credentials
from Testing.dicom_fixtures import pet_slice, write_series

MULTIPART = 'multipart/related; type="application/dicom"; boundary=x'
JSON = "application/dicom+json"


@contextmanager
def answering(status: int, kind: str, body: bytes, length: int | None = None, **headers: str) -> Iterator[Archive]:
    """A server on this machine that answers everything alike."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in {"Content-Type": kind, **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = PacsAddress(f"http://127.0.0.1:{server.server_address[1]}/dicom-web")
        try:
            yield Archive(address, connect(address, Credentials(), None))
        finally:
            server.shutdown()


def multipart() -> bytes:
    """One object of another series than is asked for."""
    held = io.BytesIO()
    pet_slice(np.ones((2, 2), np.int16), (0.0, 0.0, 0.0)).save_as(held, enforce_file_format=True)
    return b"--x\r\nContent-Type: application/dicom\r\n\r\n" + held.getvalue() + b"\r\n--x--\r\n"


@pytest.mark.parametrize(
    ("kind", "body", "length", "reason"),
    [
        (MULTIPART, multipart(), None, "another series"),
        (MULTIPART, multipart(), 10**6, "before its answer was complete"),
        (MULTIPART, b"--x\r\n\r\nnot DICOM\r\n--x--", None, "not DICOMweb"),
        (MULTIPART, b"", None, "no object of this series"),
        ("text/html", b"<p>secret</p>", None, "not DICOMweb"),
    ],
)
def test_a_wrong_answer_leaves_no_folder(
    kind: str, body: bytes, length: int | None, reason: str, tmp_path: Path
) -> None:
    with answering(200, kind, body, length) as archive, pytest.raises(BackendError, match="127") as failure:
        archive.fetch("1.2.3.4", "1.2.3.5", tmp_path / "pet")
    assert list(tmp_path.iterdir()) == []
    assert "secret" not in str(failure.value)
    assert reason in str(failure.value)


@pytest.mark.parametrize("body", [b"{", b"[1]", b'["secret"]', b'[{"0020000D": {"vr": "secret"}}]', b"[{}]", b"[[]]"])
def test_a_search_that_is_answered_by_other_than_dicom_json_is_a_failure(body: bytes) -> None:
    with answering(200, JSON, body) as archive, pytest.raises(BackendError, match="not DICOMweb") as failure:
        archive.find(Query(dates="20200102"))
    assert "secret" not in str(failure.value)


def test_a_server_that_sends_elsewhere_is_not_followed() -> None:
    elsewhere = {"Location": "http://127.0.0.1:9/secret"}
    with answering(302, JSON, b"", **elsewhere) as archive, pytest.raises(BackendError, match="another address"):
        archive.find(Query(dates="20200102"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "does not confirm"),
        (b'{"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [42752]}}]}}', "0xa700"),
    ],
)
def test_what_is_not_confirmed_counts_as_not_stored(body: bytes, reason: str, tmp_path: Path) -> None:
    files = write_series(tmp_path / "scan", np.ones((1, 2, 2), np.int16))
    with answering(200, JSON, body) as archive, pytest.raises(BackendError, match=reason):
        archive.store(files)
