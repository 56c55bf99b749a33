"""Orthanc with its DICOMweb plugin, as Debian packages it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from Testing.backend.processes import wait_until

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER = "reader"
PASSWORD = "made-up-pässword"


@dataclass(frozen=True)
class Orthanc:
    """A server that runs.

    Attributes:
        url: of its DICOMweb service.
        credentials: file with the name and the password that it takes.
    """

    url: str
    credentials: Path


@contextmanager
def orthanc(folder: Path) -> Iterator[Orthanc]:
    """Run a server in a folder; skip where it is not installed."""
    binary = shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if binary is None or not PLUGIN.exists():
        pytest.skip("needs Debian's packages orthanc and orthanc-dicomweb")
    port = _free_port()
    settings: dict[str, object] = {
        "StorageDirectory": str(folder / "storage"),
        "Plugins": [str(PLUGIN)],
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "credentials.txt").write_text(f"{USER}:{PASSWORD}\n", encoding="utf-8")
    with (
        (folder / "orthanc.log").open("w") as log,
        subprocess.Popen([binary, folder / "orthanc.json"], stdout=log, stderr=log, cwd=folder) as process,
    ):
        try:
            wait_until(lambda: process.poll() is not None or _listens(port), within_s=30.0)
            assert process.poll() is None, (folder / "orthanc.log").read_text()
            yield Orthanc(f"http://127.0.0.1:{port}/dicom-web", folder / "credentials.txt")
        finally:
            process.terminate()
            process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
