"""Requests that begin as HTTP and go on as something else, on real connections."""

import re
import socket
import threading

import pytest

from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE
from SegAnyPETLib.backend.messages.requests import pack_request
from SegAnyPETLib.backend.server.guards.bind import Address
from SegAnyPETLib.backend.server.logs import EventLog
from SegAnyPETLib.backend.server.run import Server
from SegAnyPETLib.backend.server.service import Service
from Testing.backend.server.engines import PATIENCE_S, Gate, asked, clicked, engine

TOKEN = "a-token-of-the-tests"
KNOWN = f"Authorization: Bearer {TOKEN}\r\n"
HEAD = f"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {MEDIA_TYPE}\r\n"


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def served(gate, tmp_path):
    """Port of a server; its log speaks of no failure afterwards."""
    log = tmp_path / "log"
    ready = threading.Event()
    server = Server(Service([engine(gate)], log=EventLog(log)), TOKEN, Address(), ready=ready.set)
    thread = threading.Thread(target=server.run_until_stopped)
    thread.start()
    assert ready.wait(PATIENCE_S)
    yield server.port
    server.stop()
    thread.join(PATIENCE_S)
    assert '"level": "error"' not in log.read_text()


def exchange(port, data):
    """All that comes back until the server closes the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        connection.sendall(data)
        while part := connection.recv(1 << 16):
            received += part
    return received


def statuses(received):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", received)]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-1\r\nx\r\n", b"5\r\nhelloworld\r\n"])
def test_a_broken_body_has_one_answer_and_is_no_failure(served, known, chunk):
    head = HEAD + (KNOWN if known else "") + "Transfer-Encoding: chunked\r\n\r\n"
    assert statuses(exchange(served, head.encode() + chunk)) == [400]


def test_nonsense_after_a_request_does_not_disturb_the_model(served, gate):
    body = pack_request(asked(None, clicked()))
    head = f"{HEAD}{KNOWN}Content-Length: {len(body)}\r\n\r\n".encode()
    assert statuses(exchange(served, head + body + b"nonsense\r\n\r\n")) == [200, 400]
    assert statuses(exchange(served, head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body)) == [200]
