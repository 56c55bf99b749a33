"""``seganypet pacs`` against a real server."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from SegAnyPETLib.cli import main
from Testing.backend.certificates import make_certificate
from Testing.dicom_fixtures import PATIENT_ID, PATIENT_NAME, counting_voxels, write_series
from Testing.pacs.orthanc import Orthanc, orthanc
from Testing.pacs.tls_relay import tls_relay

UIDS = ["--study", "1.2.3.4", "--series", "1.2.3.5"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        yield running


@pytest.fixture
def scan(tmp_path: Path) -> list[Path]:
    return write_series(tmp_path / "scan", counting_voxels())


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The only line on stderr."""
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.slow
def test_a_series_is_stored_found_and_fetched_with_the_same_voxels(
    server: Orthanc,
    scan: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    access = [server.url, "--credentials-file", str(server.credentials)]
    sent = [dcmread(path) for path in scan]
    study, series = sent[0].StudyInstanceUID, sent[0].SeriesInstanceUID
    (tmp_path / "id.txt").write_text(PATIENT_ID)

    assert main(["pacs", "store", *access, *map(str, scan)]) == 0
    assert main(["pacs", "find", *access, "--patient-id-file", str(tmp_path / "id.txt")]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if series in line).split()
    assert row[1:5] == ["PT", "4", study, series]

    fetch = ["pacs", "fetch", *access, "--study", study, "--series", series, "--output", str(tmp_path / "back")]
    assert main(fetch) == 0
    back = {held.SOPInstanceUID: held for held in map(dcmread, (tmp_path / "back").iterdir())}
    assert [back[image.SOPInstanceUID].PixelData for image in sent] == [image.PixelData for image in sent]
    assert np.array_equal(back[sent[1].SOPInstanceUID].pixel_array, counting_voxels()[1])
    assert sorted(path.name for path in (tmp_path / "back").iterdir())[0] == "00001.dcm"

    assert main(fetch) == 2  # the folder is there
    told = caplog.text + "".join(capsys.readouterr())
    assert not [secret for secret in (PATIENT_ID, PATIENT_NAME, study, series) if secret in told]


@pytest.mark.slow
def test_other_dates_and_modalities_find_nothing(server: Orthanc, capsys: pytest.CaptureFixture[str]) -> None:
    access = [server.url, "--credentials-file", str(server.credentials)]
    assert main(["pacs", "find", *access, "--dates", "19010101-19010102"]) == 0
    assert "0 series" in capsys.readouterr().out


@pytest.mark.slow
def test_bad_credentials_end_in_one_line(server: Orthanc, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("reader:wrong-one")
    assert main(["pacs", "find", server.url, "--dates", "20200102", "--credentials-file", str(bad)]) == 1
    line = one_line(capsys)
    assert "does not accept the credentials" in line
    assert "wrong-one" not in line


@pytest.mark.slow
def test_a_series_that_is_not_there_ends_in_one_line_without_its_uid_and_leaves_no_folder(
    server: Orthanc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "none"
    access = [server.url, "--credentials-file", str(server.credentials)]
    assert main(["pacs", "fetch", *access, *UIDS, "--output", str(output)]) == 1
    assert "1.2.3" not in one_line(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_path_without_dicomweb_ends_in_one_line(server: Orthanc, capsys: pytest.CaptureFixture[str]) -> None:
    url = server.url.replace("/dicom-web", "/elsewhere")
    assert main(["pacs", "find", url, "--dates", "20200102", "--credentials-file", str(server.credentials)]) == 1
    assert "check both" in one_line(capsys)


@pytest.mark.slow
def test_a_certificate_is_trusted_by_its_authority_alone(
    server: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    certificate, other = make_certificate(tmp_path), make_certificate(tmp_path / "other")
    # requests would take this instead of the file that the user names.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with tls_relay(server.url, certificate) as url:
        what = ["--dates", "20200102", "--credentials-file", str(server.credentials)]
        assert main(["pacs", "find", url, *what, "--ca-file", str(certificate[0])]) == 0
        capsys.readouterr()
        for trusted in ([], ["--ca-file", str(other[0])]):
            assert main(["pacs", "find", url, *what, *trusted]) == 1
            assert "is not trusted" in one_line(capsys)
        by_name = url.replace("127.0.0.1", "localhost")
        assert main(["pacs", "find", by_name, *what, "--ca-file", str(certificate[0])]) == 1
        assert "issued for another name" in one_line(capsys)


@pytest.mark.slow
def test_a_server_that_speaks_no_tls_ends_in_one_line(server: Orthanc, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pacs", "find", server.url.replace("http:", "https:"), "--dates", "20200102"]) == 1
    assert "does not speak TLS" in one_line(capsys)


def test_a_server_that_is_not_there_ends_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pacs", "find", "http://127.0.0.1:9/dicom-web", "--dates", "20200102"]) == 1
    assert "127.0.0.1:9 cannot be reached" in one_line(capsys)


def test_what_is_no_dicom_file_is_refused_before_anything_is_sent(
    scan: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Phantom.txt").write_text("not DICOM")
    files = [str(scan[0]), str(tmp_path / "Phantom.txt")]
    assert main(["pacs", "store", "http://127.0.0.1:9/dicom-web", *files]) == 2
    line = one_line(capsys)
    assert "file 2 of 2 is not a DICOM file; nothing was sent" in line
    assert "Phantom" not in line


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["find", "http://127.0.0.1:9"], "say what to look for"),
        (["find", "http://127.0.0.1:9", "--study", "x"], "the UID of the study is none"),
        (["find", "http://127.0.0.1:9", "--dates", "1", "--ca-file", "x"], "begin with https://"),
        (["find", "http://pacs.example", "--dates", "1"], "--allow-http"),
        (["find", "https://pacs.example", "--dates", "1", "--ca-file", __file__], "no certificate"),
        (["find", "https://pacs.example", "--dates", "1", "--insecure"], "--insecure"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pacs", *arguments]) == 2
    assert reason in one_line(capsys)


def test_without_the_package_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("dicomweb_client", "SegAnyPETLib.commands.pacs", "SegAnyPETLib.pacs.archive"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "dicomweb_client", None)
    assert main(["pacs", "find", "http://127.0.0.1:9", "--dates", "1"]) == 1
    assert "pip install '.[dicomweb]'" in one_line(capsys)
