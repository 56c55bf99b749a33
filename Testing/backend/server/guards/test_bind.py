import socket
from pathlib import Path

import pytest

from SegAnyPETLib.backend.server.guards.bind import Address, is_loopback, listen
from SegAnyPETLib.errors import BackendError, InputError

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_this_machine_alone_needs_no_token(host):
    with listen(Address(host), None) as bound:
        assert is_loopback(bound.getsockname()[0])
        assert bound.getsockname()[1] > 0


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::"])
def test_others_are_let_in_with_a_token_only(host):
    with pytest.raises(InputError, match="needs a token"):
        listen(Address(host), None)


def test_others_are_let_in_with_a_token():
    with listen(Address("0.0.0.0"), TOKEN) as bound:
        assert bound.getsockname()[0] == "0.0.0.0"


def test_a_name_that_leads_elsewhere_is_judged_by_where_it_leads(monkeypatch):
    elsewhere = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: elsewhere)
    with pytest.raises(InputError, match="needs a token"):
        listen(Address("localhost"), None)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a b", "x" * 300])
def test_a_host_that_is_none_is_refused(host):
    with pytest.raises(InputError, match="not an address of this machine"):
        listen(Address(host), None)


def test_a_taken_port_is_told():
    with listen(Address(), None) as first:
        first.listen()
        with pytest.raises(BackendError, match="choose another --port"):
            listen(Address(port=first.getsockname()[1]), None)


def test_addresses_as_clients_write_them():
    assert Address("::1").url(8650) == "http://[::1]:8650"
    assert Address("localhost").url(1) == "http://localhost:1"


@pytest.mark.parametrize("given", [{"certificate": Path("c")}, {"key": Path("k")}])
def test_tls_needs_both_files(given):
    with pytest.raises(InputError, match="both --tls-cert and --tls-key"):
        Address(**given)


def test_files_that_are_no_certificate_are_refused(tmp_path):
    (tmp_path / "c").write_text("no PEM")
    for key in ("c", "none"):
        with pytest.raises(InputError, match="cannot be used"):
            Address(certificate=tmp_path / "c", key=tmp_path / key)
