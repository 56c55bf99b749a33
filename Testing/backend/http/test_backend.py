import json
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from SegAnyPETLib.backend.http import backend as http_client
from SegAnyPETLib.backend.http.backend import HttpBackend
from SegAnyPETLib.backend.in_process import InProcessBackend
from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE
from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.messages.requests import pack_predictions
from SegAnyPETLib.backend.server.guards.bind import Address
from SegAnyPETLib.errors import BackendError, Cancelled, InputError, OutOfMemory
from SegAnyPETLib.models.embedding_cache import EmbeddingCache
from Testing.backend.hot import SIZE, HotModel, clicked, engine, window
from Testing.backend.serving import PATIENCE_S, TOKEN, serving
from Testing.backend.tap import babbles, cuts, hangs, refuses, says, tapped


@pytest.fixture(scope="module")
def model():
    return HotModel()


@pytest.fixture(scope="module")
def url(model):
    with serving([engine(model)]) as found:
        yield found


@pytest.fixture
def tap(url):
    with tapped(url) as found:
        yield found


@pytest.fixture
def backend(tap):
    with HttpBackend(tap.url, deadline_s=3 * PATIENCE_S) as found:
        found.connect()
        yield found


def same(predictions, others):
    return all(
        np.array_equal(a.logits_kji, b.logits_kji) and a.quality == b.quality
        for a, b in zip(predictions, others, strict=True)
    )


def expected(*targets, image=None):
    return InProcessBackend(engine()).predict(image or window(), targets or [clicked()])


def posted(tap):
    return [r for r in tap.requests if r.startswith(b"POST")]


class TestAnswers:
    def test_a_server_answers_as_the_model_itself(self, backend):
        targets = [clicked(), clicked(3, 3, 3, positive=False)]
        assert same(backend.predict(window(), targets), expected(*targets))

    def test_it_says_what_is_served_and_where(self, backend, model):
        assert backend.spec == model.spec
        assert backend.device == "cpu, fp32"

    def test_one_of_several_models_is_asked_by_its_name(self):
        other = HotModel(size=8)
        other.spec = other.spec.__class__("other", 8, (1.0, 3.0))
        cache = EmbeddingCache(1 << 20)
        with serving([engine(cache=cache), engine(other, cache)]) as url:
            with HttpBackend(url) as first, HttpBackend(url, model="other") as second:
                assert (first.spec.name, second.spec.name) == ("hot", "other")
                assert second.predict(window(size=8), [clicked()])[0].size == 8
            with HttpBackend(url, model="third") as third, pytest.raises(InputError, match="runs: hot, other"):
                third.connect()

    def test_voxels_travel_once(self, backend, tap):
        for point in ((8, 7, 6), (1, 2, 3), (4, 4, 4)):
            backend.predict(window(1), [clicked(*point)])
        sizes = [len(r) for r in posted(tap)]
        assert sizes[0] > 2 * SIZE**3 > 4 * max(sizes[1:])

    def test_a_forgotten_window_is_sent_again_without_notice(self, backend, tap, model):
        backend.predict(window(2), [clicked()])
        tap.faults.append(refuses(404, "unknown_window"))
        assert same(backend.predict(window(2), [clicked()]), expected(image=window(2)))
        assert [len(r) > 2 * SIZE**3 for r in posted(tap)] == [True, False, True]

    def test_a_server_that_keeps_no_window_is_not_asked_for_ever(self, backend, tap):
        tap.faults.extend([refuses(404, "unknown_window")] * 2)
        with pytest.raises(BackendError, match="does not keep uploaded windows"):
            backend.predict(window(), [clicked()])

    def test_the_connection_is_kept(self, url):
        with tapped(url) as tap, HttpBackend(tap.url) as backend:
            connections = set()
            tap.faults.extend([lambda e: connections.add(e.client) or e.client.sendall(e.answer()) or True] * 3)
            for n in range(3):
                backend.predict(window(n), [clicked()])
            assert len(connections) == 1

    def test_several_threads_ask_at_once(self, backend):
        answers = {}

        def ask(n):
            answers[n] = backend.predict(window(n), [clicked()])

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        assert all(same(answers[n], expected(image=window(n))) for n in range(4))


class TestHeaders:
    def test_headers_say_who_asks_until_when_and_for_which_window(self, backend, tap):
        backend.predict(window(), [clicked()])
        head = posted(tap)[0].partition(b"\r\n\r\n")[0].decode().lower()
        assert re.search(r"\r\nx-client: [0-9a-f]{16}\r\n", head)
        assert 2 * PATIENCE_S < float(re.search(r"\r\nx-deadline-s: ([0-9.]+)", head)[1]) <= 3 * PATIENCE_S
        assert f"\r\nserve_multiplexed_model_id: {window().sha256}" in head
        assert f"\r\ncontent-type: {MEDIA_TYPE}" in head
        assert "authorization" not in head

    def test_the_token_is_sent_with_every_request(self):
        with serving([engine()], token=TOKEN) as url, tapped(url) as tap, HttpBackend(tap.url, TOKEN) as backend:
            backend.predict(window(), [clicked()])
            assert len(tap.requests) == 2
            assert all(f"\r\nAuthorization: Bearer {TOKEN}\r\n".encode() in r for r in tap.requests)

    def test_without_the_right_token_nothing_is_answered(self):
        with serving([engine()], token=TOKEN) as url:
            for token, message in ((None, "asks for a token"), ("another-token-of-the-tests", "not accept the token")):
                with HttpBackend(url, token) as backend, pytest.raises(BackendError, match=message):
                    backend.connect()

    def test_proxies_of_the_environment_are_not_asked_for_this_machine(self, url, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
        with HttpBackend(url) as backend:
            backend.connect()


class TestAddresses:
    @pytest.mark.parametrize("url", ["http://pet.example", "http://10.0.0.7:8650", "http://0.0.0.0:8650"])
    def test_images_and_tokens_leave_this_machine_over_tls_only(self, url):
        with pytest.raises(InputError, match="https://"):
            HttpBackend(url)

    @pytest.mark.parametrize(
        "url",
        ["", "pet.example", "ftp://pet.example", "http://", "https://a:b@pet.example", "https://pet.example/?a=1",
         "https://pet..example", "https://pet.example:99999",
            "https://pet.example:0"],
    )  # fmt: skip
    def test_what_is_no_address_is_refused(self, url):
        with pytest.raises(InputError, match="not the address of a server"):
            HttpBackend(url)

    @pytest.mark.parametrize(
        "token", ["", "short", "sixteen letters and spaces", "sixteen-letters-\n-and-more", "ü" * 20]
    )
    def test_what_is_no_token_is_refused(self, token):
        with pytest.raises(InputError, match="token must have"):
            HttpBackend("https://pet.example", token)

    def test_a_path_before_the_protocols_own_is_kept(self, url, tap):
        tap.faults.append(says(404))
        backend = HttpBackend(f"{tap.url}/behind/a/proxy/")
        with pytest.raises(BackendError, match="not a SegAnyPET server"):
            backend.connect()
        assert tap.requests[0].startswith(b"GET /behind/a/proxy/v1/models ")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signed itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test -addext"
    try:
        subprocess.run(
            [*command.split(), "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "c.pem"],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return folder / "c.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def secure_url(certificate):
    with serving([engine()], token=TOKEN, address=Address("127.0.0.1", 0, *certificate)) as url:
        yield url


class TestTls:
    def test_a_departments_own_authority_is_trusted_where_it_is_named(self, secure_url, certificate):
        with HttpBackend(secure_url, TOKEN, ca_file=certificate[0]) as backend:
            assert same(backend.predict(window(), [clicked()]), expected())

    def test_an_unknown_certificate_is_refused_at_once(self, secure_url, monkeypatch):
        monkeypatch.setattr(http_client, "PAUSES_S", ())  # before a second try there would be none to make
        backend = HttpBackend(secure_url, TOKEN)
        with pytest.raises(BackendError, match=r"certificate of 127\.0\.0\.1:.* is not trusted"):
            backend.predict(window(), [clicked()])

    def test_a_certificate_of_another_host_is_refused(self, secure_url, certificate):
        backend = HttpBackend(secure_url.replace("127.0.0.1", "localhost"), TOKEN, ca_file=certificate[0])
        with pytest.raises(BackendError, match="issued for another name; use the name"):
            backend.connect()

    def test_a_server_without_tls_is_named(self, url):
        with pytest.raises(BackendError, match=r"does not speak TLS; check name and port"):
            HttpBackend(url.replace("http://", "https://")).connect()

    def test_a_server_with_tls_that_is_asked_without_is_named(self, secure_url):
        with pytest.raises(BackendError, match=r"ended the connection without an answer; .* https:// if"):
            HttpBackend(secure_url.replace("https://", "http://"), TOKEN).connect()

    def test_a_proxy_that_does_not_connect_is_named(self, monkeypatch):
        with answering(says(407)) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy)
            with pytest.raises(BackendError, match=r"proxy of this network does not connect to pet\.example; check"):
                HttpBackend("https://pet.example", TOKEN).connect()

    def test_cancel_ends_a_request_over_tls(self, certificate):
        held, model = threading.Event(), HotModel()
        with (
            serving([engine(model)], token=TOKEN, address=Address("127.0.0.1", 0, *certificate)) as url,
            HttpBackend(url, TOKEN, ca_file=certificate[0]) as backend,
        ):
            backend.connect()
            model.before = lambda: held.wait(PATIENCE_S)
            model.entered.clear()
            with cancelled_later(backend, model.entered), pytest.raises(Cancelled):
                backend.predict(window(), [clicked()])
            held.set()
            assert same(backend.predict(window(), [clicked()]), expected())

    @pytest.mark.parametrize("content", [None, b"no certificate"])
    def test_what_is_no_authority_is_refused(self, tmp_path, content):
        if content:
            (tmp_path / "ca.pem").write_bytes(content)
        with pytest.raises(InputError, match="must be a PEM file"):
            HttpBackend("https://pet.example", ca_file=tmp_path / "ca.pem")


class TestErrors:
    @pytest.mark.parametrize(
        ("fault", "error", "message"),
        [
            (refuses(400, "bad_request", "too many points"), BackendError, "refused the request: too many points"),
            (refuses(401, "unauthorized"), BackendError, "asks for a token"),
            (refuses(404, "unknown_model"), BackendError, "connect to it again"),
            (refuses(404, "not_found"), BackendError, "not a SegAnyPET server"),
            (refuses(408, "too_slow"), BackendError, "network is too slow"),
            (refuses(413, "too_large"), BackendError, "fewer targets"),
            (refuses(503, "out_of_memory", "memory of the GPU is full"), OutOfMemory, "memory of the GPU is full"),
            (refuses(504, "deadline"), BackendError, "took too long"),
            (says(302, headers="Location: http://127.0.0.1:9/\r\n"), BackendError, "another address .http://127.0.0.1:9"),
            (says(407, b"<html>"), BackendError, "proxy before .* asks for a login"),
            (says(413, b"<html>"), BackendError, "refuses requests of this size .*client_max_body_size"),
            (says(418, b"[" * 100_000), BackendError, "not a SegAnyPET server|too long"),
        ],
    )  # fmt: skip
    def test_what_repeating_does_not_help_is_raised_at_once(self, backend, tap, fault, error, message):
        tap.faults.append(fault)
        with pytest.raises(error, match=message):
            backend.predict(window(), [clicked()])
        assert len(posted(tap)) == 1
        assert same(backend.predict(window(), [clicked()]), expected())

    @pytest.mark.parametrize(
        "fault",
        [refuses(500, "failed"), refuses(503, "stopping"), refuses(503, "starting"), says(502), says(503, b"<html>"),
         cuts(0.0), cuts(0.05), cuts(0.5), cuts(0.95), babbles],
    )  # fmt: skip
    def test_what_repeating_helps_goes_unnoticed(self, backend, tap, fault):
        tap.faults.append(fault)
        assert same(backend.predict(window(), [clicked()]), expected())
        assert len(posted(tap)) == 2

    @pytest.mark.parametrize(
        ("fault", "tries", "message"),
        [(refuses(500, "failed"), 2, "failed on this request"), (refuses(503, "stopping"), 6, "shutting down"),
         (cuts(0.5), 6, "ended the connection without an answer"), (says(502), 6, "away for the moment")],
    )  # fmt: skip
    def test_it_is_not_asked_for_ever(self, backend, tap, monkeypatch, fault, tries, message):
        monkeypatch.setattr(http_client, "PAUSES_S", (0.001,) * 5)
        tap.faults.extend([fault] * 9)
        with pytest.raises(BackendError, match=message):
            backend.predict(window(), [clicked()])
        assert len(posted(tap)) == tries

    def test_a_busy_server_is_left_alone_as_long_as_it_says(self, backend, tap):
        tap.faults.append(refuses(429, "busy", headers="Retry-After: 1\r\n"))
        began = time.monotonic()
        assert same(backend.predict(window(), [clicked()]), expected())
        assert time.monotonic() - began >= 1.0

    def test_a_server_that_is_busy_until_the_deadline_is_told_of(self, url):
        with tapped(url) as tap, HttpBackend(tap.url, deadline_s=0.9) as backend:
            tap.faults.extend([refuses(429, "busy")] * 9)
            with pytest.raises(BackendError, match="busy"):
                backend.predict(window(), [clicked()])
            assert len(posted(tap)) == 1

    def test_a_server_that_does_not_read_on_gets_its_word_in(self):
        with serving([engine(HotModel(size=128))], limits=Limits(body_bytes=1000)) as url, HttpBackend(url) as backend:
            for _ in range(3):
                with pytest.raises(BackendError, match="larger than the server takes"):
                    backend.predict(window(size=128), [clicked()])

    def test_a_hang_ends_at_the_deadline(self, url):
        with tapped(url) as tap, HttpBackend(tap.url, deadline_s=0.5) as backend:
            backend.connect()
            tap.faults.append(hangs)
            with pytest.raises(BackendError, match=r"no answer within 0\.5 s"):
                backend.predict(window(), [clicked()])
            assert same(backend.predict(window(), [clicked()]), expected())

    def test_an_answer_that_drips_ends_at_the_deadline(self, url):
        def drips(exchange):
            for byte in exchange.answer():
                exchange.client.sendall(bytes([byte]))
                time.sleep(0.05)
            return False

        with tapped(url) as tap, HttpBackend(tap.url, deadline_s=0.5) as backend:
            backend.connect()
            tap.faults.append(drips)
            with pytest.raises(BackendError, match="no answer within"):
                backend.predict(window(), [clicked()])

    def test_a_server_that_is_not_there_is_told_of(self):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        with pytest.raises(BackendError, match=f"127.0.0.1:{port} cannot be reached; check the network"):
            HttpBackend(f"http://127.0.0.1:{port}").connect()

    def test_a_server_with_other_weights_than_before_is_told_of(self, url):
        with tapped(url) as tap, HttpBackend(tap.url) as backend:
            backend.connect()
            backend.close()
            with serving([engine(HotModel(sha256="b" * 64))]) as other:
                tap.forward_to(other)
                with pytest.raises(BackendError, match="other models or weights than before; connect to it again"):
                    backend.predict(window(), [clicked()])
                backend.connect()
                assert same(backend.predict(window(), [clicked()]), expected())


ANOTHER_WINDOWS = pack_predictions(InProcessBackend(engine(HotModel(size=8))).predict(window(size=8), [clicked()]))


class TestGarbage:
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"<html>please log in</html>", "not a message"),
            (b"", "not a message"),
            (b"\xff" * 1000, "not a message"),
            (pack_predictions([]), "predictions needs 1"),
            (ANOTHER_WINDOWS, "another"),
        ],
    )  # fmt: skip
    def test_an_answer_that_is_none_is_told_of(self, backend, tap, body, message):
        tap.faults.append(says(200, body))
        with pytest.raises(BackendError, match=f"answer cannot be used: .*{message}"):
            backend.predict(window(), [clicked()])
        assert same(backend.predict(window(), [clicked()]), expected())

    def test_an_answer_without_end_is_not_read(self, backend, tap):
        sent = []

        def floods(exchange):
            exchange.client.sendall(b"HTTP/1.1 200 x\r\n\r\n")
            while True:
                exchange.client.sendall(bytes(1 << 20))
                sent.append(1)

        tap.faults.append(floods)
        with pytest.raises(BackendError, match="too long"):
            backend.predict(window(), [clicked()])
        assert len(sent) < 20

    @pytest.mark.parametrize(
        "body",
        [b"", b"null", b"[]", b"{}", b'{"protocol": 1}', b"\xff\xfe", b"[" * 50_000, b'{"protocol": 1, "models": []}',
         *[json.dumps({"protocol": 1, "device": "cpu, fp32", "models": [
             {"name": "hot", "size": 16, "spacing_mm": [1.0], "sha256": "", "licence": "", "memory_size": 0} | wrong
           ]}).encode() for wrong in [{"size": 0}, {"size": 1e3}, {"size": 512}, {"size": "16"}, {"spacing_mm": []},
                                      {"spacing_mm": [0]}, {"spacing_mm": ["a"]}, {"spacing_mm": 3}, {"name": 7},
                                      {"name": "a\nb"}, {"sha256": "zz"}, {"sha256": None}, {"memory_size": 99}]]],
    )  # fmt: skip
    def test_what_does_not_say_what_it_serves_is_no_server(self, body):
        with answering(says(200, body)) as url, pytest.raises(BackendError, match="not a SegAnyPET server"):
            HttpBackend(url).connect()

    def test_a_server_of_another_protocol_is_told_of(self):
        with (
            answering(says(200, b'{"protocol": 2}')) as url,
            pytest.raises(BackendError, match=r"version 2 .* same release"),
        ):
            HttpBackend(url).connect()


class TestCancel:
    def test_it_ends_what_runs_and_the_next_request_works(self, backend, tap):
        came = threading.Event()
        tap.faults.append(lambda exchange: came.set() or hangs(exchange))
        with cancelled_later(backend, came), pytest.raises(Cancelled):
            backend.predict(window(), [clicked()])
        assert same(backend.predict(window(), [clicked()]), expected())

    def test_it_ends_the_wait_for_a_busy_server(self, backend, tap):
        came = threading.Event()
        tap.faults.append(lambda e: came.set() or refuses(429, "busy", headers="Retry-After: 9\r\n")(e))
        with cancelled_later(backend, came), pytest.raises(Cancelled):
            backend.predict(window(), [clicked()])

    def test_it_ends_every_request_of_the_client(self, backend, tap):
        came, raised = threading.Semaphore(0), []

        def ask():
            with pytest.raises(Cancelled):
                backend.predict(window(), [clicked()])
            raised.append(1)

        tap.faults.extend([lambda exchange: came.release() or hangs(exchange)] * 3)
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert all(came.acquire(timeout=PATIENCE_S) for _ in range(3))
        backend.cancel()
        for thread in threads:
            thread.join(PATIENCE_S)
        assert len(raised) == 3

    def test_where_nothing_runs_nothing_happens(self, backend):
        backend.cancel()
        assert same(backend.predict(window(), [clicked()]), expected())

    def test_the_server_learns_that_nobody_waits(self, backend, tap):
        came, left = threading.Event(), threading.Event()

        def waits(exchange):
            came.set()
            if exchange.client.recv(1) == b"":
                left.set()
            return False

        tap.faults.append(waits)
        with cancelled_later(backend, came), pytest.raises(Cancelled):
            backend.predict(window(), [clicked()])
        assert left.wait(PATIENCE_S)

    def test_no_thread_is_left_behind(self, backend, tap):
        came = threading.Event()
        tap.faults.append(lambda exchange: came.set() or hangs(exchange))
        with cancelled_later(backend, came), pytest.raises(Cancelled):
            backend.predict(window(), [clicked()])
        assert until(lambda: not [t for t in threading.enumerate() if t.name == "request"])


@contextmanager
def cancelled_later(backend, came):
    """Cancels from another thread as soon as something has happened."""
    thread = threading.Thread(target=lambda: came.wait(PATIENCE_S) and backend.cancel())
    thread.start()
    yield
    thread.join(PATIENCE_S)


@contextmanager
def answering(fault):
    """A server that answers everything in the same way."""
    with tapped() as tap:
        tap.always = fault
        yield tap.url


def until(condition):
    ends_at = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < ends_at:
        time.sleep(0.01)
    return condition()


def test_a_client_loads_no_torch_and_no_server():
    code = (
        "import sys, SegAnyPETLib.backend.http.backend, SegAnyPETLib.backend.worker.backend\n"
        "print(*[m for m in ('torch', 'monai', 'fastapi', 'starlette', 'uvicorn', 'slicer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
