"""The server behind nginx with the configuration that comes with it, on this machine; skipped where nginx is absent."""

import contextlib
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from SegAnyPETLib.backend.http.backend import HttpBackend
from SegAnyPETLib.backend.in_process import InProcessBackend
from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.messages.requests import pack_predictions
from SegAnyPETLib.errors import BackendError, Cancelled
from Testing.backend.certificates import make_certificate
from Testing.backend.server.engines import PATIENCE_S, Gate, clicked, engine, lite, window
from Testing.backend.serving import TOKEN, serving
from Testing.backend.tap import tapped

pytestmark = pytest.mark.slow

CONFIGURATION = Path(__file__).resolve().parents[2] / "Resources" / "deployment" / "nginx.conf"
KNOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """certificate.pem and key.pem of an authority that signs for 127.0.0.1, and of another one in `other`."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "other").mkdir()
    make_certificate(folder)[0].rename(folder / "certificate.pem")
    make_certificate(folder / "other")[0].rename(folder / "other" / "certificate.pem")
    return folder


@pytest.fixture
def proxied(certificates, tmp_path):
    """Puts nginx before a server; gives its address."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    with contextlib.ExitStack() as ends:

        def start(url):
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            file = tmp_path / "nginx.conf"
            file.write_text(configuration(port, url, certificates, tmp_path))
            command = [nginx, "-c", str(file), "-p", str(tmp_path), "-e", "stderr", "-g", "daemon off;"]
            process = ends.enter_context(subprocess.Popen(command, stderr=subprocess.DEVNULL))
            ends.callback(process.terminate)
            ends_at = time.monotonic() + PATIENCE_S
            while True:
                assert process.poll() is None, "nginx does not start"
                assert time.monotonic() < ends_at
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    return f"https://127.0.0.1:{port}"
                time.sleep(0.02)

        yield start


def configuration(port, url, certificates, folder):
    """The file that is deployed, with this test's ports and folders in the place of the machine's."""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    replaced = {
        "pid /run/nginx.pid;": f"pid {folder}/pid;",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "listen [::]:443 ssl;": "",
        "server 127.0.0.1:8650;": f"server {url.removeprefix('http://')};",
        "/etc/seganypet/tls": str(certificates),
        "http {": f"http {{\n{temporary}",
    }
    text = CONFIGURATION.read_text()
    for there, here in replaced.items():
        assert text.count(there) >= 1
        text = text.replace(there, here)
    return text


def https(url, certificates):
    context = ssl.create_default_context(cafile=certificates / "certificate.pem")
    return http.client.HTTPSConnection(url.removeprefix("https://"), context=context, timeout=PATIENCE_S)


def test_answers_through_the_proxy_are_those_of_this_process(proxied, certificates):
    images, targets = [window(seed) for seed in range(3)], [clicked(), clicked((1, 2, 3), (4, 5, 6))]
    alone = InProcessBackend(engine(lite()))
    with (
        serving([engine(lite())], token=TOKEN) as url,
        HttpBackend(proxied(url), TOKEN, ca_file=certificates / "certificate.pem") as backend,
    ):
        assert backend.spec == alone.spec
        for image in [*images, *images]:
            expected = pack_predictions(alone.predict(image, targets))
            assert pack_predictions(backend.predict(image, targets)) == expected


def test_a_certificate_of_another_authority_is_refused(proxied, certificates):
    with serving([engine(lite())], token=TOKEN) as url:
        address = proxied(url)
        for ca_file in (certificates / "other" / "certificate.pem", None):
            with HttpBackend(address, TOKEN, ca_file=ca_file, tries=1) as backend, pytest.raises(BackendError):
                backend.connect()


def test_the_header_that_ray_serve_routes_by_arrives(proxied, certificates):
    with (
        serving([engine(lite())], token=TOKEN) as url,
        tapped(url) as tap,
        HttpBackend(proxied(tap.url), TOKEN, ca_file=certificates / "certificate.pem") as backend,
    ):
        backend.predict(window(), [clicked()])
    (posted,) = [request for request in tap.requests if request.startswith(b"POST")]
    assert f"\r\nserve_multiplexed_model_id: {window().sha256}\r\n".encode() in posted
    assert np.count_nonzero([b"x-forwarded" in request.lower() for request in tap.requests]) == 0


def test_what_the_server_would_refuse_stops_at_the_proxy(proxied, certificates):
    with serving([engine(lite())], token=TOKEN) as url, tapped(url) as tap:
        address = proxied(tap.url)
        connection = https(address, certificates)
        connection.putrequest("POST", "/v1/predict")
        connection.putheader("Content-Length", str(Limits().body_bytes + 1))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection = https(address, certificates)
        connection.request("GET", "/metrics", headers=KNOWN)
        assert connection.getresponse().status == 403
        assert tap.requests == []


def test_without_the_token_the_proxy_opens_nothing(proxied, certificates):
    with serving([engine(lite())], token=TOKEN) as url:
        connection = https(proxied(url), certificates)
        for path in ("/v1/health", "/v1/models", "/", "/v1/../metrics"):
            connection.request("GET", path)
            with connection.getresponse() as answer:
                assert answer.status in (401, 403)
                answer.read()


def test_who_gives_up_behind_the_proxy_takes_the_request_along(proxied, certificates):
    gate, outcomes = Gate(), {}

    def ask(name, backend, seed):
        try:
            outcomes[name] = backend.predict(window(seed), [clicked()])
        except Cancelled as error:
            outcomes[name] = error

    with serving([engine(gate)], token=TOKEN) as url:
        address = proxied(url)
        first, second = (HttpBackend(address, TOKEN, ca_file=certificates / "certificate.pem") for _ in range(2))
        with first, second:
            gate.close()
            running = threading.Thread(target=ask, args=("first", first, 1))
            running.start()
            assert gate.entered.wait(PATIENCE_S)
            waiting = threading.Thread(target=ask, args=("second", second, 2))
            waiting.start()
            wait_for(address, certificates, waiting=1)
            second.cancel()
            waiting.join(PATIENCE_S)
            wait_for(address, certificates, waiting=0)
            gate.open.set()
            running.join(PATIENCE_S)
    assert isinstance(outcomes["second"], Cancelled)
    assert len(outcomes["first"]) == 1


def wait_for(address, certificates, waiting):
    """Until so many requests wait at the server."""
    ends_at = time.monotonic() + PATIENCE_S
    connection = https(address, certificates)
    while time.monotonic() < ends_at:
        connection.request("GET", "/v1/health", headers=KNOWN)
        with connection.getresponse() as answer:
            if json.loads(answer.read())["waiting"] == waiting:
                return
        time.sleep(0.02)
    raise AssertionError(f"there are never {waiting} requests that wait")
