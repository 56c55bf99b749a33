"""The application behind uvicorn, with clients that behave badly on real connections."""

import asyncio
import json
import socket
import ssl
import threading
from contextlib import contextmanager, suppress

import httpx
import pytest

from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE
from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.messages.requests import pack_request
from SegAnyPETLib.backend.server.guards.bind import Address
from SegAnyPETLib.backend.server.logs import EventLog
from SegAnyPETLib.backend.server.run import Server
from SegAnyPETLib.backend.server.service import Service
from SegAnyPETLib.errors import OutOfMemory
from Testing.backend.certificates import make_certificate
from Testing.backend.server.engines import PATIENCE_S, Gate, asked, clicked, engine, until

TOKEN = "a-token-of-the-tests"
HEAD = f"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {MEDIA_TYPE}\r\n"


@contextmanager
def serving(service, token=None, address=None):
    """A server in a thread, its URL and port, stopped afterwards."""
    ready = threading.Event()
    server = Server(service, token, address or Address(), ready=ready.set)
    thread = threading.Thread(target=server.run_until_stopped)
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@pytest.fixture
def service(gate, log):
    yield Service([engine(gate)], Limits(body_bytes=300_000, body_s=0.3), log=EventLog(log))
    gate.open.set()


@pytest.fixture
def server(service, gate):
    with serving(service) as running:
        yield running
        gate.open.set()


@pytest.fixture
def http(server):
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE_S) as client:
        yield client


def click(http, *points, path="/v1/predict"):
    content = pack_request(asked(None, clicked(*points)))
    return http.post(path, content=content, headers={"Content-Type": MEDIA_TYPE})


def connection(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)


def answer(conn):
    """Everything until the server closes the connection: status and body."""
    data = b""
    while part := conn.recv(65536):
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def entries(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_request_of_a_client_that_hangs_up_does_not_run(server, service, gate, http):
    gate.close()
    with httpx.Client(base_url=http.base_url, timeout=PATIENCE_S) as first:
        running = threading.Thread(target=click, args=(first, (1, 1, 1)))
        running.start()
        assert gate.entered.wait(PATIENCE_S)
        body = pack_request(asked(None, clicked((2, 2, 2))))
        with connection(server) as conn:
            conn.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            asyncio.run(until(lambda: service.waiting == 1))
        asyncio.run(until(lambda: service.waiting == 0))
        gate.open.set()
        running.join(PATIENCE_S)
    assert click(http, (3, 3, 3)).status_code == 200
    assert gate.clicks == [[1, 1, 1], [3, 3, 3]]


def test_a_client_that_hangs_up_in_the_middle_of_a_body_leaves_nothing(server, http, log):
    with connection(server) as conn:
        conn.sendall(f"{HEAD}Content-Length: 1000\r\n\r\n".encode() + b"x" * 500)
    asyncio.run(until(lambda: '"status": 499' in log.read_text()))
    assert "seganypet_body_bytes 0.0" in http.get("/metrics").text


def test_chunks_beyond_the_cap_are_refused_and_the_client_reads_why(http):
    response = http.post(
        "/v1/predict", content=(b"x" * 50_000 for _ in range(20)), headers={"Content-Type": MEDIA_TYPE}
    )
    assert (response.status_code, response.json()["error"]) == (413, "too_large")
    assert response.headers["connection"] == "close"


def test_a_large_body_is_refused_by_its_length_and_a_client_that_sends_all_of_it_first_reads_why(server):
    with connection(server) as conn:
        conn.sendall(f"{HEAD}Content-Length: 5000000\r\n\r\n".encode() + bytes(5_000_000))
        status, body = answer(conn)
    assert (status, json.loads(body)["error"]) == (413, "too_large")


def test_a_body_beyond_any_buffer_is_refused_and_a_client_that_sends_all_of_it_first_reads_why(server):
    with connection(server) as conn:
        conn.sendall(f"{HEAD}Content-Length: {20 * 1024**2}\r\n\r\n".encode())
        for _ in range(20):
            conn.sendall(bytes(1024**2))
        status, body = answer(conn)
    assert (status, json.loads(body)["error"]) == (413, "too_large")


def test_a_body_that_is_announced_first_is_refused_before_it_is_sent(server):
    with connection(server) as conn:
        conn.sendall(f"{HEAD}Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n".encode())
        status, body = answer(conn)
    assert (status, json.loads(body)["error"]) == (413, "too_large")


def test_a_slow_body_is_refused_and_its_connection_closed(server, monkeypatch):
    monkeypatch.setattr("SegAnyPETLib.backend.server.guards.linger.ACCEPTED_S", 0.01)
    with connection(server) as conn:
        conn.sendall(f"{HEAD}Content-Length: 1000\r\n\r\nx".encode())
        status, body = answer(conn)
    assert (status, json.loads(body)["error"]) == (408, "too_slow")


@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: -1\r\n",
        "Content-Length: x\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: gzip\r\n",
        "no header\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        f"X-Long: {'x' * 100_000}\r\n",
    ],
    ids=["negative", "letters", "two lengths", "encoding", "no header", "length and chunks", "long header"],
)
def test_requests_that_are_no_http_are_refused_and_their_connection_closed(server, http, lines):
    with connection(server) as conn:
        conn.sendall(f"{HEAD}{lines}\r\n12345".encode())
        assert answer(conn)[0] in (400, 501)
    assert http.get("/v1/health").status_code == 200


def test_a_head_without_end_is_not_kept_in_memory(server, http):
    with connection(server) as conn, suppress(ConnectionError):
        for _ in range(10_000):
            conn.sendall(f"X-{'x' * 10_000}: y\r\n".encode())
        pytest.fail("100 MB of headers were taken")
    assert http.get("/v1/health").status_code == 200


def test_chunks_that_are_none_are_refused(server, http):
    with connection(server) as conn:
        conn.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\nZZ\r\nxx\r\n".encode())
        assert conn.recv(4096).split()[1] in (b"400", b"408")
    assert http.get("/v1/health").status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET /v1/hea", b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_a_connection_that_does_not_get_to_the_point_is_closed(server, monkeypatch, sent):
    monkeypatch.setattr("SegAnyPETLib.backend.server.guards.head_deadline.HEAD_S", 0.05)
    with connection(server) as conn:
        conn.sendall(sent)
        with suppress(ConnectionResetError):
            assert conn.recv(10) == b""


def test_a_connection_serves_one_request_after_the_other(server, http, monkeypatch):
    monkeypatch.setattr("SegAnyPETLib.backend.server.guards.head_deadline.HEAD_S", 0.05)
    assert click(http).status_code == 200
    (first,) = server.server_state.connections
    for _ in range(20):
        assert http.get("/v1/health").status_code == 200
    assert list(server.server_state.connections) == [first]


def request_of(host="127.0.0.1", token=None):
    known = "" if token is None else f"Authorization: Bearer {token}\r\n"
    return f"GET /v1/health HTTP/1.1\r\nHost: {host}\r\n{known}\r\n".encode()


def status_on(conn):
    """Of a request with the token, on a connection that stays open."""
    conn.sendall(request_of(token=TOKEN))
    data = b""
    while not data.endswith(b"}"):
        data += (part := conn.recv(4096))
        assert part
    return int(data.split()[1])


def test_a_connection_is_closed_after_a_refused_request_and_kept_after_an_accepted_one(service, log):
    with serving(service, TOKEN) as server:
        for token in (None, "another-token-of-the-tests"):
            with connection(server) as conn:
                conn.sendall(request_of(token=token) * 2)
                assert answer(conn)[0] == 401
        with connection(server) as conn:
            for _ in range(2):
                assert status_on(conn) == 200
    statuses = [entry["status"] for entry in entries(log) if entry["event"] == "request"]
    assert statuses == [401, 401]  # the second request of a stranger is not even read


def test_a_connection_that_names_another_host_is_closed(server):
    with connection(server) as conn:
        conn.sendall(request_of(host="evil.example"))
        assert answer(conn)[0] == 400


@pytest.mark.parametrize("sent", [b"", b"GET /v1/hea", request_of()], ids=["silent", "half a head", "without a token"])
def test_connections_without_the_token_lock_nobody_out(service, sent):
    strangers = []
    with serving(service, TOKEN) as server, httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as http:
        http.headers["Authorization"] = f"Bearer {TOKEN}"
        try:
            for _ in range(300):
                strangers.append(connection(server))
                with suppress(ConnectionError):
                    strangers[-1].sendall(sent)
            assert click(http).status_code == 200
            with connection(server) as conn:
                assert status_on(conn) == 200
        finally:
            for conn in strangers:
                conn.close()


def test_a_long_click_does_not_count_as_silence(http, gate, monkeypatch):
    monkeypatch.setattr("SegAnyPETLib.backend.server.guards.head_deadline.HEAD_S", 0.05)
    gate.close()
    threading.Timer(0.3, gate.open.set).start()
    assert click(http).status_code == 200


def test_at_the_end_what_runs_is_answered_and_what_waits_is_sent_away(service, gate):
    answers = {}

    def ask(name, url):
        with httpx.Client(base_url=url, timeout=PATIENCE_S) as http:
            answers[name] = click(http)

    with serving(service) as server:
        url = f"http://127.0.0.1:{server.port}"
        gate.close()
        threads = [threading.Thread(target=ask, args=(name, url)) for name in ("runs", "waits")]
        threads[0].start()
        assert gate.entered.wait(PATIENCE_S)
        threads[1].start()
        asyncio.run(until(lambda: service.waiting == 1))
        server.stop()
        threads[1].join(PATIENCE_S)
        assert (answers["waits"].status_code, answers["waits"].json()["error"]) == (503, "stopping")
        gate.open.set()
        threads[0].join(PATIENCE_S)
        assert answers["runs"].status_code == 200
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port))


def test_the_end_does_not_wait_for_idle_connections(service):
    with serving(service) as server, connection(server), connection(server) as second:
        second.sendall(b"GET /v1/hea")


def test_a_service_that_cannot_start_ends_the_server_with_its_reason(tmp_path):
    gate = Gate()

    def fault():
        raise MemoryError

    gate.fault = fault
    server = Server(Service([engine(gate)], log=EventLog(tmp_path / "log")), None, Address())
    with pytest.raises(OutOfMemory):
        server.run_until_stopped()


def test_answers_do_not_name_the_server_and_are_sent_at_once(http, server):
    assert "server" not in http.get("/v1/health").headers
    (conn,) = server.server_state.connections
    assert conn.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_with_a_certificate_it_speaks_tls_and_nothing_else(service, tmp_path):
    cert, key = make_certificate(tmp_path)
    address = Address(certificate=cert, key=key)
    with serving(service, TOKEN, address) as server:
        trusting = ssl.create_default_context(cafile=cert)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=address.url(server.port), verify=trusting, headers=headers) as http:
            assert address.url(server.port).startswith("https://")
            assert click(http).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(address.url(server.port))
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{server.port}")


def test_a_key_that_is_locked_is_refused_without_a_question(tmp_path):
    from SegAnyPETLib.errors import InputError

    cert, _ = make_certificate(tmp_path)
    with pytest.raises(InputError, match="the key not encrypted"):
        Address(certificate=cert, key=tmp_path / "locked.pem")


def test_listening_to_others_without_tls_is_warned_of(service, log):
    with serving(service, TOKEN, Address("0.0.0.0")) as server:
        assert httpx.get(f"http://127.0.0.1:{server.port}/v1/health").status_code == 401
    assert [e["event"] for e in entries(log)] == ["no_tls", "ready", "request", "stopped"]
    assert TOKEN not in log.read_text()
