"""What the deployment files say agrees with the program: options, times, sizes and names of figures."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.server.guards.request_body import Bodies
from SegAnyPETLib.backend.server.prometheus import Metrics
from SegAnyPETLib.backend.server.run import KEEP_ALIVE_S, LAST_ANSWERS_S
from SegAnyPETLib.backend.server.service import STOP_S, Service
from SegAnyPETLib.commands.arguments.parser import parse
from Testing.backend.server.engines import engine, lite

FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "deployment"


def text(name):
    return (FOLDER / name).read_text()


def of_systemd(name):
    """Arguments of the last ExecStart."""
    return shlex.split(re.findall(r"^ExecStart=(\S.*)$", text(name), re.MULTILINE)[-1])[1:]


def of_compose(name):
    return yaml.safe_load(text(name))["services"]["server"]["command"]


def of_image():
    return yaml.safe_load(re.findall(r"^CMD (\[.*\])$", text("Containerfile"), re.MULTILINE)[0])


def of_page():
    """Commands of the page, as they would be typed."""
    lines = re.findall(r"^ {4}(?:sudo )?(?:\w+=\S+ )*(?:/\S+/)?seganypet ([^#\n]*)", text("README.md"), re.MULTILINE)
    return [shlex.split(line) for line in lines]


COMMANDS = [
    of_image(),
    of_compose("compose.yaml"),
    of_compose("compose.cuda.yaml"),
    of_systemd("seganypet.service"),
    of_systemd("seganypet-cuda.conf"),
    *of_page(),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_every_command_is_one_that_the_program_knows(arguments):
    command, options = parse(arguments)
    assert command in ("serve", "weights")
    if command == "serve" and options.host != "127.0.0.1":
        assert options.token_file is not None


def test_the_page_shows_how_to_start_a_server():
    assert any(arguments[0] == "serve" for arguments in of_page())


def test_whoever_stops_the_server_waits_until_the_last_answer_is_sent():
    needed_s = STOP_S + LAST_ANSWERS_S
    systemd_s = float(re.findall(r"^TimeoutStopSec=(\d+)$", text("seganypet.service"), re.MULTILINE)[0])
    compose_s = float(yaml.safe_load(text("compose.yaml"))["services"]["server"]["stop_grace_period"].removesuffix("s"))
    assert min(systemd_s, compose_s) > needed_s


def test_the_proxy_takes_what_the_server_takes_and_waits_as_long():
    nginx = dict(re.findall(r"^\s*(\w+) ([^;{]+);$", text("nginx.conf"), re.MULTILINE))
    limits = Limits()
    assert nginx["client_max_body_size"] == f"{limits.body_bytes // 1024**2}m"
    assert float(nginx["proxy_read_timeout"].removesuffix("s")) > limits.deadline_s
    assert float(nginx["proxy_send_timeout"].removesuffix("s")) >= limits.body_s
    assert nginx["underscores_in_headers"] == "on"
    assert nginx["proxy_request_buffering"] == "off"
    idle_s = float(re.findall(r"keepalive 32;\s+keepalive_timeout (\d+)s;", text("nginx.conf"))[0])
    assert idle_s < KEEP_ALIVE_S


def test_alerts_are_about_figures_that_there_are():
    service = Service([engine(lite())])
    metrics = Metrics(service, Bodies(service.limits))
    metrics.count("/v1/predict", 200, 0.1)
    known = set(re.findall(r"^(seganypet_\w+)", metrics.text().decode(), re.MULTILINE))
    named = set(re.findall(r"seganypet_\w+", text("alerts.yml"))) | set(
        re.findall(r"`(seganypet_\w+)", text("README.md"))
    )
    assert len(named) > 3
    assert named <= known
    groups = yaml.safe_load(text("alerts.yml"))["groups"]
    assert all({"alert", "expr"} <= rule.keys() for group in groups for rule in group["rules"])
    assert yaml.safe_load(text("prometheus.yml"))["scrape_configs"][0]["metrics_path"] == "/metrics"


def test_the_image_holds_no_secret_and_runs_as_nobody_in_particular():
    image = text("Containerfile")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", image, re.MULTILINE)
    assert {name for line in copied for name in line.split()} == {
        "constraints.txt",
        "pyproject.toml",
        "setup.py",
        "README.md",
        "LICENSE",
        "Resources",
        "SegAnyPETLib",
        "Resources/deployment/healthcheck.py",
    }
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", image, re.MULTILINE)
    server = yaml.safe_load(text("compose.yaml"))["services"]["server"]
    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
