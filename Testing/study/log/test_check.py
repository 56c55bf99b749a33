"""A log that is not as it was written is found."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.log.check import check_log, check_logs, head_path
from SegAnyPETLib.study.log.writer import EventLog
from Testing.study.logs import PLAN_SHA256, write_readings

Lines = list[bytes]
Mutation = Callable[[Lines, Lines, random.Random], bytes]


def edited(lines: Lines, other: Lines, rng: random.Random) -> bytes:
    content = bytearray(b"".join(lines))
    place = rng.randrange(len(content))
    content[place] ^= 1 << rng.randrange(7)
    return bytes(content)


def number_changed(lines: Lines, other: Lines, rng: random.Random) -> bytes:
    """A time made shorter, as someone would who wants a better result."""
    line = rng.randrange(len(lines))
    field = b'"mono_ms":'
    start = lines[line].index(field) + len(field)
    digit = lines[line][start : start + 1]
    new = lines[line][:start] + bytes([48 + (digit[0] - 47) % 10]) + lines[line][start + 1 :]
    return b"".join([*lines[:line], new, *lines[line + 1 :]])


def truncated(lines: Lines, other: Lines, rng: random.Random) -> bytes:
    content = b"".join(lines)
    return content[: rng.randrange(len(content))]


def cut_at_a_line(lines: Lines, other: Lines, rng: random.Random) -> bytes:
    return b"".join(lines[: rng.randrange(len(lines))])


def removed(lines: Lines, other: Lines, rng: random.Random) -> bytes:
    line = rng.randrange(len(lines))
    return b"".join(lines[:line] + lines[line + 1 :])


def reordered(lines: Lines, other: Lines, rng: random.Random) -> bytes:
    first, second = rng.sample(range(len(lines)), 2)
    mixed = list(lines)
    mixed[first], mixed[second] = mixed[second], mixed[first]
    return b"".join(mixed)


def repeated(lines: Lines, other: Lines, rng: random.Random) -> bytes:
    line, place = rng.randrange(len(lines)), rng.randrange(len(lines) + 1)
    return b"".join([*lines[:place], lines[line], *lines[place:]])


def merged(lines: Lines, other: Lines, rng: random.Random) -> bytes:
    place, line = rng.randrange(len(lines) + 1), rng.randrange(len(other))
    return b"".join([*lines[:place], *other[line:], *lines[place:]])


def replaced(lines: Lines, other: Lines, rng: random.Random) -> bytes:
    return b"".join(other)


MUTATIONS: list[Mutation] = [
    edited,
    number_changed,
    truncated,
    cut_at_a_line,
    removed,
    reordered,
    repeated,
    merged,
]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two logs of one reader."""
    return tuple(write_readings(tmp_path_factory.mktemp(name) / "R1.jsonl", cases=2) for name in ("a", "b"))  # type: ignore[return-value]


def test_a_log_as_it_was_written_is_sound(logs: tuple[Path, Path]) -> None:
    checked = check_log(logs[0])
    assert checked.sound
    assert checked.notes == ()
    assert [event.kind for event in checked.events][:2] == ["log_opened", "case_opened"]
    assert checked.events[-1].kind == "log_closed"


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_each_of_twenty_five_mutations_is_found(mutation: Mutation, logs: tuple[Path, Path], tmp_path: Path) -> None:
    lines, other = ([*path.read_bytes().splitlines(keepends=True)] for path in logs)
    for seed in range(25):
        shutil.copy(head_path(logs[0]), tmp_path)
        changed = mutation(lines, other, random.Random(seed))
        assert changed != b"".join(lines)
        (tmp_path / "R1.jsonl").write_bytes(changed)
        assert not check_log(tmp_path / "R1.jsonl").sound, (mutation.__name__, seed)


def test_another_log_in_its_place_is_found(logs: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copy(head_path(logs[0]), tmp_path)
    shutil.copy(logs[1], tmp_path)
    assert not check_log(tmp_path / "R1.jsonl").sound


def test_a_log_without_its_head_is_not_sound(logs: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copy(logs[0], tmp_path)
    assert "R1.head.json is missing" in check_log(tmp_path / "R1.jsonl").faults[0]


def test_a_copy_under_another_reader_s_name_is_found(logs: tuple[Path, Path], tmp_path: Path) -> None:
    for name in ("R1", "R2"):
        shutil.copy(logs[0], tmp_path / f"{name}.jsonl")
        shutil.copy(head_path(logs[0]), tmp_path / f"{name}.head.json")
    first, second = check_logs(tmp_path)
    assert "same log" in first.faults[0]
    assert "the log is of reader R1" in second.faults[1]


def test_an_edited_log_is_not_gone_on_with(logs: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copy(head_path(logs[0]), tmp_path)
    (tmp_path / "R1.jsonl").write_bytes(logs[0].read_bytes().replace(b'"period":1', b'"period":2', 1))
    with pytest.raises(InputError, match=r"R1.jsonl, line 2: the line was edited"):
        EventLog(tmp_path / "R1.jsonl", PLAN_SHA256, "1")
