import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from Testing.backend.server.engines import engine, lite
from Testing.backend.serving import TOKEN, serving
from Testing.backend.tap import tapped

SCRIPT = Path(__file__).resolve().parents[2] / "Resources" / "deployment" / "healthcheck.py"


@pytest.fixture(scope="module")
def healthcheck():
    spec = importlib.util.spec_from_file_location("healthcheck", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture(scope="module")
def url():
    with serving([engine(lite())], token=TOKEN) as served:
        yield served


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


def test_a_server_that_takes_requests_is_well(url, token_file):
    done = subprocess.run([sys.executable, SCRIPT, url, token_file], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_another_token_is_not_well_and_is_not_told(url, tmp_path):
    (tmp_path / "other").write_text("another-token-of-others")
    done = subprocess.run([sys.executable, SCRIPT, url, tmp_path / "other"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "the server answers 401\n")


@pytest.mark.slow
def test_no_server_no_token_and_nonsense_are_not_well(healthcheck, url, token_file):
    assert healthcheck("http://127.0.0.1:1", str(token_file)) == "no answer: URLError"
    assert healthcheck(url, str(token_file.parent / "missing")) == "no answer: FileNotFoundError"
    for nonsense in (ok(b"[]"), ok(b"?"), ok(b"{}"), b"x"):
        with tapped() as tap:
            tap.always = lambda exchange, nonsense=nonsense: exchange.client.sendall(nonsense) or True
            assert healthcheck(tap.url, str(token_file)).startswith("no answer: ")


@pytest.mark.parametrize("status", ["starting", "stopping"])
def test_a_server_that_takes_no_requests_is_not_well(healthcheck, token_file, status):
    with tapped() as tap:
        tap.always = lambda exchange: exchange.client.sendall(ok(b'{"status": "%b"}' % status.encode())) or True
        assert healthcheck(tap.url, str(token_file)) == f"the server is {status}"


def ok(body):
    """An answer."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
