"""Files that have come to harm, and files that are no checkpoints."""

from __future__ import annotations

import argparse
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.sam.checkpoint import load_checkpoint
from Testing.models.sam.checkpoints import refusal, write
from Testing.models.sam.forged import Declared, write_archive

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_a_truncated_file_is_refused(tmp_path: Path, least: dict[str, Tensor], ending: str) -> None:
    whole = write(tmp_path / f"net{ending}", least).read_bytes()
    path = tmp_path / f"part{ending}"
    for kept in (1, 4, 8, 9, 100, 5_000, len(whole) // 2, len(whole) - 100, len(whole) - 1):
        path.write_bytes(whole[:kept])
        refusal(path)


@pytest.mark.parametrize(
    "content", [b"", b"<html>404</html>", b"version https://git-lfs.github.com/spec/v1\n", b"PK\x03\x04"]
)
def test_files_that_are_something_else_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.pth").write_bytes(content)
    refusal(tmp_path / "net.pth")


def test_paths_that_are_no_files_are_refused(tmp_path: Path) -> None:
    refusal(tmp_path / "absent.pth")
    refusal(tmp_path)
    (tmp_path / "loop.pth").symlink_to(tmp_path / "loop.pth")
    refusal(tmp_path / "loop.pth")
    os.mkfifo(tmp_path / "pipe.pth")
    refusal(tmp_path / "pipe.pth")


def test_a_file_of_five_gigabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "net.pth").open("wb") as file:
        file.truncate(5 << 30)
    assert "larger than 4 GB" in refusal(tmp_path / "net.pth")


def test_a_program_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.pth", "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py"):
            archive.writestr(f"net/{name}", b"x")
    assert "holds a program (TorchScript)" in refusal(tmp_path / "net.pth")


@pytest.mark.parametrize(("name", "comment"), [("photo.jpg", b""), ("other/data.pkl", b""), (None, b"made by hand")])
def test_an_archive_that_holds_more_than_a_checkpoint_is_refused(
    tmp_path: Path, least: dict[str, Tensor], name: str | None, comment: bytes
) -> None:
    path = write(tmp_path / "net.pth", least)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = comment
        if name is not None:
            archive.writestr(name, b"\x80\x02N.")
    assert "is a zip archive, but not a checkpoint" in refusal(path)


def test_numbers_of_a_big_endian_machine_are_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "net.pth", {"a": Declared(16, 0, (16,), (1,))}, byteorder=b"big")
    assert "written on a big-endian machine" in refusal(path)


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_mutated_files_are_loaded_or_refused_in_one_line(
    tmp_path: Path, least: dict[str, Tensor], ending: str, capfd: pytest.CaptureFixture[str]
) -> None:
    container = {"model_state_dict": least, "args": argparse.Namespace(a=1), "best": np.float64(0.5)}
    whole = write(tmp_path / f"net{ending}", least if ending == ".safetensors" else container).read_bytes()
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / f"net{ending}"
    random = np.random.default_rng(0)
    refusals = []
    for _ in range(200):
        content = mutated(whole, random)
        path.write_bytes(content)
        try:
            net, _ = load_checkpoint(path)
            assert all(tensor.isfinite().all() for tensor in net.state_dict().values())
        except InputError as error:
            refusals.append(str(error))
        assert [file.name for file in folder.iterdir()] == [path.name]
        assert path.read_bytes() == content
    assert len(refusals) > 100
    assert [message for message in refusals if "\n" in message] == []
    assert capfd.readouterr() == ("", "")


def test_mutated_pickles_are_loaded_or_refused_in_one_line(
    tmp_path: Path, least: dict[str, Tensor], capfd: pytest.CaptureFixture[str]
) -> None:
    container = {"args": argparse.Namespace(a=1), "model_state_dict": least, "best": np.float64(0.5)}
    with zipfile.ZipFile(write(tmp_path / "whole.pth", container)) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    (pickled,) = [name for name in records if name.endswith("/data.pkl")]
    random = np.random.default_rng(1)
    folder = tmp_path / "folder"
    folder.mkdir()
    reached = 0
    for _ in range(200):
        with zipfile.ZipFile(folder / "net.pth", "w") as archive:
            for name, data in records.items():
                archive.writestr(name, bent(data, random) if name == pickled else data)
        try:
            load_checkpoint(folder / "net.pth")
            reached += 1
        except InputError as error:
            reached += "damaged" not in str(error)
        assert [file.name for file in folder.iterdir()] == ["net.pth"]
    assert reached > 20  # past the archive, into what its pickle says
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("written", "named"), [("a.pth", "a.safetensors"), ("a.safetensors", "a.pth")])
def test_an_ending_that_is_not_the_content_is_refused(
    tmp_path: Path, least: dict[str, Tensor], written: str, named: str
) -> None:
    write(tmp_path / written, least).rename(tmp_path / named)
    assert "not what its ending says" in refusal(tmp_path / named)


def bent(whole: bytes, random: np.random.Generator) -> bytes:
    """A pickle with one to three other bytes."""
    content = bytearray(whole)
    for at in random.integers(len(content), size=random.integers(1, 4)):
        content[at] = random.integers(256)
    return bytes(content)


def mutated(whole: bytes, random: np.random.Generator) -> bytes:
    """The file with a few changes, most of them where its structure is: at the beginning and at the end."""
    content = bytearray(whole)
    for _ in range(random.integers(1, 6)):
        near = int(random.integers(30_000) if random.random() < 0.6 else random.integers(len(content)))
        at = min(near if random.random() < 0.7 else len(content) - near, len(content) - 1) % len(content)
        kind = random.integers(4)
        if kind == 0:
            content[at] = random.integers(256)
        elif kind == 1:
            content[at : at + 8] = random.bytes(8)
        elif kind == 2:
            del content[at : at + int(random.integers(1, 40))]
        else:
            content[at:at] = content[at // 2 : at // 2 + int(random.integers(1, 40))]
    return bytes(content)
