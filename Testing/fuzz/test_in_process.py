"""Hostile requests straight to the application: thousands of bodies, headers, methods and paths."""

import gc
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from SegAnyPETLib.backend.server.app import create_app
from Testing.fuzz.asgi import InProcess
from Testing.fuzz.conftest import REQUESTS, SEEDED
from Testing.fuzz.hostile import Hostile, canary, predict_requests, requests, strangers, valid
from Testing.fuzz.promises import check, check_refusal, logits_of
from Testing.fuzz.served import CACHE_BYTES, LIMITS

pytestmark = pytest.mark.slow

#: Bytes by which what the server keeps may grow while the same requests are repeated.
GROWTH_BYTES = 200_000

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


def amount(share: float) -> settings:
    """Of all requests; `make test` sends the same ones every time."""
    return settings(max_examples=max(10, int(REQUESTS * share)), suppress_health_check=SLOW, derandomize=SEEDED)


@pytest.fixture
def unchanged(client):
    """After a test, a valid request has the answer that it had before, and nothing is left in memory or waiting."""
    before = logits_of(*client.send(valid(canary())))
    yield
    assert logits_of(*client.send(valid(canary()))) == before


@pytest.fixture
def nothing_kept(fuzzed, client):
    """After a test, no request waits or is held, and embeddings keep to their memory."""
    yield
    assert fuzzed.waiting == 0
    assert fuzzed.counts.embedding_bytes <= CACHE_BYTES
    request = valid(b"")
    (figures,) = client.send(Hostile("GET", "/metrics", headers=request.headers))
    assert b"\nseganypet_body_bytes 0.0\n" in figures.body


def answered(client, statuses, *sent):
    """Send requests at the same time, and hold the server to its promises."""
    answers = client.send(*sent)
    for request, answer in zip(sent, answers, strict=True):
        statuses[answer.status] += 1
        check(request, answer)
    return answers


def test_no_message_makes_the_server_fail(client, statuses, unchanged, nothing_kept):
    @amount(0.45)
    @given(predict_requests())
    def send(request):
        answered(client, statuses, request)

    send()


def test_no_request_makes_the_server_fail(client, statuses, unchanged, nothing_kept):
    @amount(0.15)
    @given(requests())
    def send(request):
        answered(client, statuses, request)

    send()


def test_requests_at_the_same_time_neither_disturb_nor_starve_one_another(client, statuses, unchanged, nothing_kept):
    expected = logits_of(*client.send(valid(canary())))

    @amount(0.02)
    @given(st.lists(requests() | predict_requests(), min_size=2, max_size=LIMITS.queue - 1))
    def send(several):
        *_, last = answered(client, statuses, *several, valid(canary()))
        assert logits_of(last) == expected

    send()


def test_more_than_the_queue_holds_is_told_to_come_again(client, statuses, unchanged, nothing_kept):
    answers = answered(client, statuses, *[valid(canary())] * (LIMITS.queue * 3))
    assert {answer.status for answer in answers} == {200, 429}


def test_who_does_not_know_the_token_is_told_nothing(client, statuses, unchanged, nothing_kept):
    @amount(0.1)
    @given(strangers())
    def send(request):
        assert not request.authorized
        answered(client, statuses, request)

    send()


def test_without_a_token_only_this_machine_is_answered(fuzzed, statuses):
    client = InProcess(create_app(fuzzed, None))

    @amount(0.03)
    @given(requests())
    def send(request):
        (answer,) = client.send(request)
        statuses[answer.status] += 1
        assert answer.status < 500 or request.hurries
        hosts = [value for name, value in request.headers if name == b"host"]
        if hosts != [b"127.0.0.1"] and hosts[:1] != [b"localhost"] and hosts[:1] != [b"127.0.0.1"] and answer.status:
            bare = hosts[0].strip().lower().partition(b":")[0] if hosts else b""
            assert bare in (b"127.0.0.1", b"localhost") or answer.status == 400
        if answer.status >= 400 and answer.body:
            check_refusal(answer)

    send()
    client.close()


def test_the_same_requests_again_and_again_leave_nothing_in_memory(client):
    sent = []

    @settings(max_examples=60, suppress_health_check=SLOW, derandomize=True)
    @given(predict_requests() | requests())
    def collect(request):
        sent.append(request)

    collect()
    held = []
    for _ in range(4):
        for request in sent:
            client.send(request)
        gc.collect()
        if not tracemalloc.is_tracing():  # the first round fills caches
            tracemalloc.start()
            continue
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert held[-1] - held[0] < GROWTH_BYTES
