"""Hostile bytes over real connections to a server process, whose memory is watched."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from SegAnyPETLib.backend.http.backend import PAUSES_S
from Testing.fuzz.asgi import Answered
from Testing.fuzz.conftest import REQUESTS, SEEDED, check_log
from Testing.fuzz.connection import Sent, as_bytes, broken, each_kind, exchange, slow, statuses_in
from Testing.fuzz.flood import Flood
from Testing.fuzz.hostile import canary, predict_requests, requests, valid
from Testing.fuzz.promises import REFUSED, check, logits_of
from Testing.fuzz.served import LIMITS, TOKEN

pytestmark = pytest.mark.slow

KNOWN = {"Authorization": f"Bearer {TOKEN}"}
#: What a connection without the token sends: nothing, the beginning of a head, a whole request, a body without end.
STRANGERS = {
    "silent": b"",
    "half a head": b"POST /v1/predict HTTP/1.1\r\nHost: a",
    "a request": b"GET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n",
    "half a body": b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\nabc",
}
#: Connections without a token at a time; `make fuzz` holds more.
FLOOD = 150 if SEEDED else 1000
#: Seconds in which a client with a token has its answer then.
ANSWER_S = 5.0
ROOT = Path(__file__).resolve().parents[2]

#: By how much the server's memory may grow, once it is warm: three times the bodies that it may hold, and as much
#: again as the allocator needs not to give back.
GROWTH_BYTES = 3 * 4 * LIMITS.body_bytes + 24 * 1024**2


@dataclass
class Served:
    """A server process and its port."""

    process: subprocess.Popen[str]
    port: int

    @property
    def resident_bytes(self) -> int:
        """Memory of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """It ends when it is told to, and its log speaks of no failure."""
    log = tmp_path_factory.mktemp("served") / "log"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "Testing.fuzz.served"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout is not None
    with process:
        try:
            yield Served(process, int(process.stdout.readline()))
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    check_log(log.read_text())


@pytest.fixture(scope="module")
def asking(served: Served) -> Iterator[httpx.Client]:
    """A client that sends what it is given, to a server that is ready."""
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", timeout=60) as client:
        ends_at = time.monotonic() + 60
        while client.get("/v1/health", headers=KNOWN).status_code != 200:
            assert time.monotonic() < ends_at
            time.sleep(0.05)
        yield client


def amount(share: float) -> settings:
    """Of all requests; `make test` sends the same ones every time."""
    return settings(
        max_examples=max(10, int(REQUESTS * share)), suppress_health_check=list(HealthCheck), derandomize=SEEDED
    )


def answer_of(asking, request):
    """The answer to a request that is sent as a client sends it."""
    headers = [h for h in request.headers if h[0] != b"content-length"]
    response = asking.request(request.method, request.path, headers=headers, content=b"".join(request.parts))
    return Answered(response.status_code, dict(response.headers), response.content)


def test_memory_stays_within_the_caps_and_answers_stay_the_same(served, asking, statuses):
    if not Path("/proc/self/statm").exists():
        pytest.skip("the memory of a process is read from /proc, which is absent")
    before, resident = logits_of(answer_of(asking, valid(canary()))), []

    @amount(0.1)
    @given(st.lists(predict_requests(), min_size=1, max_size=2))
    def send(several):
        for request in several:
            answer = answer_of(asking, request)
            statuses[answer.status] += 1
            check(request, answer)
        resident.append(served.resident_bytes)

    send()
    warm = len(resident) // 3
    assert max(resident[warm:]) - resident[warm] < GROWTH_BYTES
    assert logits_of(answer_of(asking, valid(canary()))) == before


def test_no_bytes_make_the_server_fail(served, asking, statuses):
    before = logits_of(answer_of(asking, valid(canary())))

    def send(sent):
        answers = statuses_in(exchange(served.port, sent))
        statuses.update(answers or [0])
        # What is no HTTP at all is refused before anybody asks for a token.
        allowed = {100, 200, *REFUSED, 401, 504} if sent.knows_token else {100, 400, 401}
        assert set(answers) <= allowed

    @amount(0.07)
    @given(broken() | requests().map(lambda request: Sent((as_bytes(request),))))
    def send_any(sent):
        send(sent)

    for sent in each_kind():
        send(sent)
    send_any()
    assert served.process.poll() is None
    assert logits_of(answer_of(asking, valid(canary()))) == before


@pytest.mark.parametrize(
    "sent",
    [slow(1, 3, 0.2), slow(2000, 3, 0.2), slow(100, 1, 0.0)],
    ids=["byte by byte", "piece by piece", "a beginning"],
)
def test_a_body_that_dawdles_is_told_so(served, statuses, sent):
    # The time of a whole body is over, and the server has answered, before the quiet after the last piece.
    patient = Sent((*sent.pieces, b"", b""), LIMITS.body_s * 0.8)
    answers = statuses_in(exchange(served.port, patient))
    statuses.update(answers)
    assert answers == [408]


@pytest.mark.parametrize("sent", list(STRANGERS), ids=list(STRANGERS))
def test_connections_without_a_token_lock_nobody_out(served, asking, sent):
    """Held against the server, they are replaced as soon as it closes them; a new client gets its answer meanwhile."""
    before = logits_of(answer_of(asking, valid(canary())))
    with Flood(served.port, STRANGERS[sent], FLOOD) as flood:
        began = time.monotonic()
        for _ in range(5):
            with httpx.Client(base_url=asking.base_url, timeout=60) as client:
                assert logits_of(tried(client, valid(canary()))) == before
        passed_s = time.monotonic() - began
        assert flood.opened >= FLOOD
    if not SEEDED:
        assert passed_s / 5 < ANSWER_S


def tried(client, request):
    """The answer to a request, made again as the product's client does if its connection is closed."""
    for pause_s in PAUSES_S:
        try:
            return answer_of(client, request)
        except httpx.TransportError:
            time.sleep(pause_s)
    return answer_of(client, request)


def test_the_figures_count_what_was_sent(asking):
    text = asking.get("/metrics", headers=KNOWN).text
    assert 'seganypet_requests_total{route="/v1/predict",status="200"}' in text
    assert 'status="500"' not in text
    assert json.loads(asking.get("/v1/health", headers=KNOWN).content)["waiting"] == 0
