"""How many requests are generated, and what became of them."""

import json
import os
from collections import Counter
from collections.abc import Iterator

import pytest

from SegAnyPETLib.backend.server.app import create_app
from SegAnyPETLib.backend.server.logs import EventLog
from SegAnyPETLib.backend.server.service import Service
from Testing.backend.server.engines import started
from Testing.fuzz.asgi import InProcess
from Testing.fuzz.served import TOKEN, service

#: Requests in all; `make fuzz` asks for more.
REQUESTS = int(os.environ.get("SEGANYPET_FUZZ_REQUESTS", "400"))
#: Without that wish they are the same every time.
SEEDED = "SEGANYPET_FUZZ_REQUESTS" not in os.environ

_STATUSES: Counter[int] = Counter()


@pytest.fixture(scope="session")
def statuses() -> Counter[int]:
    """Answers by their HTTP status, 0 for none; counted by the tests."""
    return _STATUSES


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service, started; its log speaks of no failure and holds no token."""
    file = tmp_path_factory.mktemp("log") / "server.log"
    log = EventLog(file)
    with started(service(log)) as running:
        yield running
    log.close()
    assert log.lost == 0
    for older in file.parent.iterdir():
        check_log(older.read_text())


def check_log(text: str) -> None:
    """Whole lines of JSON that speak of no failure and hold no token."""
    assert [line for line in text.splitlines() if json.loads(line)["level"] == "error"] == []
    assert TOKEN not in text


@pytest.fixture(scope="module")
def client(fuzzed: Service) -> Iterator[InProcess]:
    """Its application behind the token."""
    caller = InProcess(create_app(fuzzed, TOKEN))
    yield caller
    caller.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _STATUSES:
        by_status = ", ".join(f"{status or 'none'}: {count}" for status, count in sorted(_STATUSES.items()))
        terminalreporter.write_line(f"fuzz: {_STATUSES.total()} requests; answers by status: {by_status}")
