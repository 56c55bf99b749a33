"""Two replicas on a Ray cluster of this machine: clicks find their window, and no death of a replica is noticed."""

from __future__ import annotations

import ipaddress
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from SegAnyPETLib.backend.http.backend import HttpBackend
from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE
from SegAnyPETLib.backend.messages.requests import PredictRequest, pack_request
from SegAnyPETLib.backend.protocol import Backend, Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.volume import Volume
from Testing.backend.processes import PROC, Seen, descendants, wait_until
from Testing.backend.serving import TOKEN

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.skipif(not PROC.is_dir(), reason="processes are looked up in /proc"),
]

CLICKS = ((13, 20, 20), (15, 21, 20), (13, 24, 20), (12, 20, 18))


@dataclass(frozen=True)
class Running:
    """`seganypet serve --ray` in a process."""

    process: subprocess.Popen[str]
    url: str

    def replicas(self) -> list[Seen]:
        """Those that live."""
        return [p for p in descendants(self.process.pid) if p.title.startswith("ray::ServeReplica")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two replicas of Lite; afterwards, nothing of them is left."""
    log = tmp_path_factory.mktemp("ray") / "server.log"
    command = [sys.executable, "-m", "SegAnyPETLib.cli", "serve", "--ray", "--replicas", "2", "--port", "0"]
    command += ["--threads", "1", "--log-file", str(log)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, env=environment | {"SEGANYPET_TOKEN": TOKEN}, text=True, **pipes) as process:
        try:
            printed = []
            for line in process.stdout:
                printed.append(line)
                if line.startswith("serving "):
                    break
            assert printed, "".join(printed)
            assert re.fullmatch(r"serving lite \(cpu, 2 replicas\) at http://127.0.0.1:\d+ with a token\n", printed[-1])
            yield Running(process, re.search(r"http\S+", printed[-1])[0])
            begun = descendants(process.pid)
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=60)
            assert process.returncode == 0
            wait_until(lambda: not any(seen.alive for seen in begun))
            assert TOKEN not in "".join([*printed, rest, *(file.read_text() for file in log.parent.iterdir())])
        finally:
            process.kill()


@pytest.fixture(scope="module")
def volume() -> Volume:
    """A hot ball with texture."""
    rng = np.random.default_rng(3)
    k, j, i = np.meshgrid(np.arange(30) * 3.0, np.arange(40) * 2.5, np.arange(40) * 2.5, indexing="ij")
    image = 1 + 0.2 * rng.standard_normal(k.shape) + 7 * ((k - 40) ** 2 + (j - 50) ** 2 + (i - 50) ** 2 < 9.0**2)
    return Volume(np.maximum(image, 0).astype(np.float32), np.diag([-2.5, 2.5, 3.0, 1.0]), "SUVbw")


def points(volume: Volume) -> list[Point]:
    return [Point(tuple(volume.point_ras(kji)), positive=number != 2) for number, kji in enumerate(CLICKS)]


class Manifold:
    """A backend that asks for every target many times, so that an answer takes its time."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        return self._backend.predict(image, list(targets) * 6)[: len(targets)]


@pytest.fixture(scope="module")
def here() -> Iterator[Backend]:
    """Lite in this process, on as many threads as a replica has."""
    threads = torch.get_num_threads()
    yield load_backend("lite", threads=1)
    torch.set_num_threads(threads)


def masks(volume: Volume, backend: Backend) -> list[NDArray]:
    """After each click."""
    session = InteractiveSession(volume, backend)
    return [session.add_point(point).mask.to_array(volume.shape_kji) for point in points(volume)]


def test_nearly_every_later_click_finds_the_replica_that_holds_its_window(running: Running) -> None:
    unknown, later, rng = 0, 0, np.random.default_rng(0)
    before = {replica: replica.ticks for replica in running.replicas()}
    with httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as http:
        spec = ModelSpec.from_dict(http.get("/v1/models").json()["models"][0])
        prompts = (TargetPrompts(np.full((1, 3), 20, np.float32), np.ones(1, bool)),)
        for _ in range(16):
            image = WindowImage.of(rng.uniform(0, 5, (spec.size,) * 3).astype(np.float32), 2.0)
            headers = {"Content-Type": MEDIA_TYPE, "serve_multiplexed_model_id": image.sha256}
            for voxels in (image, None, None):
                asked = PredictRequest(spec.name, spec.sha256, image.sha256, image.spacing_mm, voxels, prompts)
                answer = http.post("/v1/predict", content=pack_request(asked), headers=headers)
                assert answer.status_code == 200 or answer.json()["error"] == "unknown_window"
                later += voxels is None
                unknown += answer.status_code != 200
    assert unknown <= 0.05 * later
    assert min(replica.ticks - ticks for replica, ticks in before.items()) > 20, "one replica did all the work"


def test_nothing_but_rays_own_questions_is_answered_without_the_token(running: Running) -> None:
    for path in ("/v1/health", "/v1/models", "/metrics", "/docs", "/"):
        assert httpx.get(running.url + path).status_code == 401
        assert httpx.get(running.url + path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert httpx.post(running.url + "/v1/predict", content=b"x").json()["error"] == "unauthorized"
    assert httpx.get(running.url + "/-/healthz").text == "success"
    assert httpx.get(running.url + "/-/routes").json() == {"/": "seganypet"}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.get(running.url + "/v1/health", headers=headers).json()["status"] == "ready"
    assert "seganypet_embeddings" in httpx.get(running.url + "/metrics", headers=headers).text


def test_no_process_listens_to_other_machines(running: Running) -> None:
    pids = [running.process.pid, *(seen.pid for seen in descendants(running.process.pid))]
    addresses = listening(pids)
    assert len(addresses) > len(running.replicas())
    assert {ipaddress.ip_address(address).is_loopback for address in addresses} == {True}


def listening(pids: Sequence[int]) -> list[str]:
    """IP addresses at which processes listen."""
    sockets = set()
    for pid in pids:
        for descriptor in (PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                sockets.add(os.readlink(descriptor))
    found = []
    for table in ("tcp", "tcp6"):
        for line in (PROC / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                words = bytes.fromhex(fields[1].partition(":")[0])
                packed = b"".join(words[n : n + 4][::-1] for n in range(0, len(words), 4))
                address = socket.inet_ntop(socket.AF_INET if table == "tcp" else socket.AF_INET6, packed)
                found.append(address.removeprefix("::ffff:"))
    return found


def test_a_session_does_not_notice_that_its_replica_dies_between_two_clicks(
    running: Running, volume: Volume, here: Backend
) -> None:
    expected = masks(volume, here)
    with HttpBackend(running.url, TOKEN) as backend:
        session = InteractiveSession(volume, backend)
        for number, point in enumerate(points(volume)):
            before = {replica: replica.ticks for replica in running.replicas()}
            step = session.add_point(point)
            np.testing.assert_array_equal(step.mask.to_array(volume.shape_kji), expected[number])
            if number == 1:
                holder = max(before, key=lambda replica: replica.ticks - before[replica])
                os.kill(holder.pid, signal.SIGKILL)


def test_a_session_does_not_notice_that_its_replica_dies_at_a_click(
    running: Running, volume: Volume, here: Backend
) -> None:
    expected = masks(volume, Manifold(here))
    found: list[NDArray] = []
    wait_until(running.replicas)
    with HttpBackend(running.url, TOKEN) as backend:
        clicking = threading.Thread(target=lambda: found.extend(masks(volume, Manifold(backend))))
        before = {replica: replica.ticks for replica in running.replicas()}
        clicking.start()
        wait_until(lambda: any(replica.ticks > ticks + 10 for replica, ticks in before.items()))
        holder = max(before, key=lambda replica: replica.ticks - before[replica])
        os.kill(holder.pid, signal.SIGKILL)
        assert not found
        clicking.join(120)
    np.testing.assert_array_equal(found, expected)
