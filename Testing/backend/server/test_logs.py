import json
import logging
import sys
from pathlib import Path

import pytest

from SegAnyPETLib.backend.server.logs import EventLog, ToEvents
from SegAnyPETLib.errors import InputError


def entries(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


def test_an_event_is_one_json_line(tmp_path):
    file = tmp_path / "log"
    log = EventLog(file)
    log.write("info", "request", status=200, message="100 % of\ntwo lines", nothing=None)
    log.close()
    (entry,) = entries(file)
    assert entry.pop("time").endswith("+00:00")
    assert entry == {"level": "info", "event": "request", "status": 200, "message": "100 % of\ntwo lines"}


def test_without_a_file_events_go_to_stderr(capsys):
    EventLog().write("info", "ready")
    assert json.loads(capsys.readouterr().err)["event"] == "ready"


def test_a_bug_leaves_its_place_but_not_what_it_says(tmp_path):
    file = tmp_path / "log"
    EventLog(file).failure("failed", raised(ValueError("Jane Doe at [1, 2, 3]")), model="lite")
    (entry,) = entries(file)
    assert (entry["exception"], entry["model"]) == ("ValueError", "lite")
    assert entry["frames"][0].startswith("test_logs.py:")
    assert "Jane" not in file.read_text()


def test_what_torch_says_of_its_shapes_is_kept_in_part(tmp_path):
    file = tmp_path / "log"
    EventLog(file).failure("failed", raised(RuntimeError("shape mismatch " + "x" * 1000)))
    assert entries(file)[0]["message"].startswith("shape mismatch")
    assert len(entries(file)[0]["message"]) == 300


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux's")
def test_a_full_disk_costs_events_and_nothing_else():
    log = EventLog(Path("/dev/full"))
    for _ in range(3):
        log.write("info", "request")
    assert log.lost == 3
    log.close()


def test_a_log_that_cannot_be_opened_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be written: No such file"):
        EventLog(tmp_path / "none" / "log")


def test_the_log_rotates(tmp_path, monkeypatch):
    monkeypatch.setattr("SegAnyPETLib.backend.server.logs.FILE_BYTES", 300)
    monkeypatch.setattr("SegAnyPETLib.backend.server.logs.OLDER_FILES", 2)
    log = EventLog(tmp_path / "log")
    for n in range(40):
        log.write("info", "request", n=n)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert entries(tmp_path / "log")[-1]["n"] == 39
    assert all(p.stat().st_size <= 300 for p in tmp_path.iterdir())


def test_libraries_say_what_they_have_to_say_without_particulars(tmp_path):
    file = tmp_path / "log"
    logger = logging.Logger("uvicorn.error")
    logger.addHandler(ToEvents(EventLog(file)))
    logger.info("nobody asked")
    logger.warning("connection from %s\nmore", "192.0.2.7")
    logger.error("broken", exc_info=raised(KeyError("Jane Doe")))
    warning, broken = entries(file)
    assert (warning["library"], warning["message"]) == ("uvicorn.error", "connection from %s")
    assert (broken["exception"], broken["library"]) == ("KeyError", "uvicorn.error")
    assert "192.0.2.7" not in file.read_text()
    assert "Jane" not in file.read_text()
