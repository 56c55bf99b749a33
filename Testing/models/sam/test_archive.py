"""Checkpoints that mean harm: they hold code, declare more than they are, or hold anything but tensors."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.sam.checkpoint import load_checkpoint
from Testing.models.sam.checkpoints import refusal, write
from Testing.models.sam.forged import Declared, Stored, forged_pickle, write_archive


class Runs:
    """Writes a file when a pickle of it is opened by a reader that runs what it finds."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.system, (f"touch '{self.marker}'",)


class Evaluates(Runs):
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return eval, (f"open({str(self.marker)!r}, 'w')",)


@pytest.mark.parametrize("harm", [Runs, Evaluates])
def test_code_in_a_pickle_is_not_run(tmp_path: Path, least: dict[str, Tensor], harm: type[Runs]) -> None:
    marker = tmp_path / "marker"
    path = tmp_path / "net.pth"
    torch.save({"model_state_dict": least, "args": harm(marker)}, path)
    assert "nothing of it was run" in refusal(path)
    assert not marker.exists()
    torch.load(path, weights_only=False)
    assert marker.exists()  # so it would have been run


def test_a_bare_pickle_is_not_opened(tmp_path: Path) -> None:
    path, marker = tmp_path / "net.pth", tmp_path / "marker"
    path.write_bytes(pickle.dumps({"a": Runs(marker)}))
    assert "bare pickle" in refusal(path)
    assert not marker.exists()


def test_an_archive_made_by_hand_is_opened(tmp_path: Path) -> None:
    declared = {"a": Declared(16, 0, (4, 4), (4, 1))}
    assert "324 missing" in refusal(write_archive(tmp_path / "net.pth", declared))


@pytest.mark.parametrize(
    "tensor",
    [
        Declared(10**12, 0, (10**12,), (1,)),
        Declared(2**62, 0, (2**62,), (1,)),
        Declared(2**80, 0, (16,), (1,)),
        Declared(10**9, 0, (16,), (1,)),
        Declared(-5, 0, (16,), (1,)),
        Declared(16, 0, (10**6, 10**6), (0, 0)),
        Declared(16, 0, (17,), (1,)),
        Declared(16, 8, (16,), (1,)),
        Declared(16, 10**15, (1,), (1,)),
        Declared(16, -8, (16,), (1,)),
        Declared(16, 0, (-4, -4), (4, 1)),
        Declared(16, 0, (4, 4), (-4, -1)),
        Declared(16, 0, (4, 4), (4,)),
        Declared(16, 0, (2**40, 2**40), (1, 1)),
        Declared(16, 0, (16,), (2**60,)),
    ],
)
def test_tensors_beyond_the_file_are_refused(tmp_path: Path, tensor: Declared) -> None:
    message = refusal(write_archive(tmp_path / "net.pth", {"image_encoder.pos_embed": tensor}))
    assert "declares more" in message or "damaged" in message


def test_a_storage_is_not_printed_to_tell_of_an_error(tmp_path: Path) -> None:
    # torch's reader puts what it cannot call into its message, and a storage prints all its numbers.
    calls_a_storage = forged_pickle(Stored(2**18))[:-1] + b")R."
    path = write_archive(tmp_path / "net.pth", calls_a_storage, bytes(2**20))
    with pytest.raises(InputError, match="damaged") as caught:
        load_checkpoint(path)
    assert "reduce for unrecognized function" in str(caught.value.__cause__)
    assert len(str(caught.value.__cause__)) < 5000


def test_one_storage_for_many_tensors_is_refused(tmp_path: Path) -> None:
    same = {f"weight.{n}": Declared(2**18, 0, (2**18,), (1,)) for n in range(50)}
    path = write_archive(tmp_path / "net.pth", same, bytes(2**20))
    assert "declares more" in refusal(path)


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    content = {"a": Declared(2**24, 0, (2**24,), (1,))}
    path = write_archive(tmp_path / "net.pth", content, bytes(2**26), compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**20
    assert "compressed" in refusal(path)


@pytest.mark.parametrize("declared", [2**27, 2**32 - 2])
def test_records_that_are_larger_than_the_file_are_refused(tmp_path: Path, declared: int) -> None:
    path = write_archive(tmp_path / "net.pth", {"a": Declared(16, 0, (16,), (1,))})
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"archive/data/0") - 46  # of the central directory
    assert content[entry : entry + 4] == b"PK\x01\x02"
    struct.pack_into("<II", content, entry + 20, declared, declared)
    path.write_bytes(content)
    message = refusal(path)
    assert "declares more" in message or "damaged" in message


@pytest.mark.slow
def test_a_directory_of_an_archive_that_is_larger_than_any_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    with zipfile.ZipFile(path, "w") as archive:
        for n in range(60_000):
            archive.writestr(zipfile.ZipInfo(f"archive/data/{n:030d}"), b"")
    assert "damaged" in refusal(path)


@pytest.mark.parametrize("header", [2**63, 2**40, 5_000_000, 400])
def test_a_safetensors_header_beyond_the_file_is_refused(tmp_path: Path, header: int) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(header.to_bytes(8, "little") + b"{}" + b" " * 100)
    assert "declares more" in refusal(path)


@pytest.mark.parametrize(
    "described",
    [
        {"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}},
        {"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 16]}},
        {"a": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 16]}},
        {"a": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}},
        {"a": {"dtype": "F99", "shape": [4], "data_offsets": [0, 16]}},
        {"a": {"dtype": "I32", "shape": [4], "data_offsets": [0, 16]}},
        {"a": [1]},
    ],
)
def test_a_safetensors_header_that_lies_is_refused(tmp_path: Path, described: dict[str, Any]) -> None:
    path = tmp_path / "net.safetensors"
    header = json.dumps(described).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
    refusal(path)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [200, 100_000])
def test_nesting_without_end_is_refused(tmp_path: Path, depth: int) -> None:
    assert "no state dict" in refusal(
        write_archive(tmp_path / "net.pth", b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b".")
    )
    path = tmp_path / "net.safetensors"
    header = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    refusal(path)


@pytest.mark.parametrize(
    "content",
    [
        3,
        [torch.zeros(2)],
        {},
        {"model_state_dict": {}},
        {"a": 3},
        {"a": [torch.zeros(2)]},
        {3: torch.zeros(2)},
        {"a": "text\nof two lines"},
        {"a\n\x1b[31m": 3},
        {"a": torch.zeros(2), "b": None},
        {"a": argparse.Namespace(b=1)},
        {"model": {"a": torch.zeros(2)}, "state_dict": {"a": torch.zeros(2)}},
        torch.zeros(2),
        {"a": torch.zeros(2).untyped_storage()},
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: Any) -> None:
    assert "state dict" in refusal(write(tmp_path / "net.pth", content))


UNUSUAL: dict[str, Callable[[], Tensor]] = {
    "complex": lambda: torch.zeros(3, dtype=torch.complex64),
    "integer": lambda: torch.zeros(3, dtype=torch.int64),
    "bool": lambda: torch.zeros(3, dtype=torch.bool),
    "sparse": lambda: torch.eye(3).to_sparse(),
    "csr": lambda: torch.eye(3).to_sparse_csr(),
    "quantised": lambda: torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8),
    "meta": lambda: torch.zeros(3, device="meta"),
    "expanded": lambda: torch.zeros(1).expand(10**6, 10**6),
    "nested": lambda: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]),
}


@pytest.mark.parametrize("kind", UNUSUAL)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_tensors_that_are_not_dense_numbers_are_refused(tmp_path: Path, kind: str) -> None:
    message = refusal(write(tmp_path / "net.pth", {"image_encoder.pos_embed": UNUSUAL[kind]()}))
    assert "family" not in message  # refused for what it is, not for its shape
