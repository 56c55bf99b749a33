"""``seganypet serve`` as a shell and a service manager see it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from SegAnyPETLib.cli import main

pytestmark = pytest.mark.slow

TOKEN = "a-token-of-the-tests"


@contextmanager
def serving(*arguments: str, token: str | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process, and the line that it prints when it is ready."""
    environment = {name: value for name, value in os.environ.items() if name != "SEGANYPET_TOKEN"}
    if token is not None:
        environment["SEGANYPET_TOKEN"] = token
    command = [sys.executable, "-m", "SegAnyPETLib.cli", "serve", "--port", "0", "--threads", "1", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def url_in(line: str) -> str:
    return re.search(r"https?://\S+", line)[0]


def test_it_says_when_it_is_ready_serves_and_ends_when_asked(model_file, tmp_path):
    log = tmp_path / "log"
    with serving("--model", str(model_file), "--log-file", str(log), token=TOKEN) as (process, line):
        assert re.fullmatch(r"serving random \(cpu, \w+\) at http://127\.0\.0\.1:\d+ with a token\n", line)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.get(url_in(line) + "/v1/health").status_code == 401
        assert httpx.get(url_in(line) + "/v1/health", headers=headers).json()["status"] == "ready"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    events = [json.loads(entry)["event"] for entry in log.read_text().splitlines()]
    assert events == ["ready", "request", "stopped"]
    assert TOKEN not in log.read_text()


def test_options_reach_the_server_and_the_log_is_stderr(model_file, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o644)
    options = ["--model", str(model_file), "--model", "lite", "--queue", "3", "--token-file", str(token_file)]
    with serving(*options) as (process, line):
        told = httpx.get(url_in(line) + "/v1/models", headers={"Authorization": f"Bearer {TOKEN}"}).json()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert [model["name"] for model in told["models"]] == ["random", "lite"]
    assert told["limits"]["queue"] == 3
    warned, ready, *_ = [json.loads(entry) for entry in err.splitlines()]
    assert (warned["event"], ready["models"]) == ("token_not_secret", ["random", "lite"])
    assert TOKEN not in line + err


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["serve", *arguments])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return code, err


def test_a_taken_port_is_told_in_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, err = refused(["--port", str(taken.getsockname()[1])], capsys)
    assert code == 1
    assert "choose another --port" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "needs a token"),
        (["--host", "no.such.host.invalid"], "not an address of this machine"),
        (["--token-file", "none"], "cannot be read"),
        (["--tls-cert", "cert.pem"], "both --tls-cert and --tls-key"),
        (["--model", "lite", "--model", "lite"], "named twice"),
        (["--port", "70000"], "no whole number from 0 to 65535"),
        (["--queue", "0"], "no whole number"),
        (["--cache-mb", "0"], "no whole number"),
        (["--port", "0", "--model", "nosuch"], "nosuch"),
        (["--port", "0", "--log-file", "none/log"], "cannot be written"),
        (["--port", "0", "--replicas", "2"], "give --ray"),
        (["--ray", "--replicas", "2", "--max-replicas", "1"], "must not be less"),
        (["--ray", "--port", "0", "--host", "0.0.0.0"], "needs a token"),
        (["--ray", "--port", "0", "--model", "nosuch"], "nosuch"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(arguments, said, capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("SEGANYPET_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    code, err = refused(arguments, capsys)
    assert code == 2
    assert said in err


def test_a_token_is_not_taken_from_the_command_line(capsys):
    code, err = refused(["--token", TOKEN], capsys)
    assert code == 2
    assert "unrecognized arguments" in err


@pytest.mark.parametrize(
    ("package", "options", "extra"), [("starlette.datastructures", [], "server"), ("ray", ["--ray"], "ray")]
)
def test_a_missing_package_is_named_with_its_extra(package, options, extra):
    command = ["serve", "--port", "0", *options]
    code = (
        f"import sys; sys.modules[{package!r}] = None; from SegAnyPETLib.cli import main; sys.exit(main({command!r}))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=Path.cwd())
    assert ended.returncode == 1
    assert f"pip install '.[{extra}]'" in ended.stderr


def test_refusals_cost_no_model():
    code = """
import sys
from SegAnyPETLib.cli import main
assert main(["serve", "--host", "0.0.0.0"]) == 2
assert "torch" not in sys.modules
"""
    environment = {name: value for name, value in os.environ.items() if name != "SEGANYPET_TOKEN"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True, cwd=Path.cwd())
