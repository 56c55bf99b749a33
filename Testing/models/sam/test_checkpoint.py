"""Checkpoints of the published layout, and files that pretend to be some."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.sam.checkpoint import load_checkpoint, save_checkpoint, window_spacing_mm
from SegAnyPETLib.models.sam.config import PUBLISHED, SamConfig
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.models.sam.sizes import sizes_of

SHAPES = Path(__file__).parent / "fixtures" / "published_shapes.json"
TINY = SamConfig(size=64, patch=8, width=96, depth=4, heads=4, global_blocks=(1, 3), window=5, prompt_width=48)
#: The smallest network, where only the file matters.
LEAST = SamConfig(size=16, patch=8, width=12, depth=2, heads=2, global_blocks=(1,), window=3, prompt_width=48)
ENDINGS = [".pth", ".pt", ".safetensors"]


def random_net(config: SamConfig) -> SamNet:
    torch.manual_seed(3)
    net = SamNet(config)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_()
    return net


@pytest.fixture(scope="module")
def least() -> dict[str, Tensor]:
    return dict(random_net(LEAST).state_dict())


def shapes_of(net: SamNet) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}


def meta_net(config: SamConfig) -> SamNet:
    with torch.device("meta"):
        return SamNet(config)


def refusal(path: Path) -> str:
    """The one line that a file is refused with."""
    with pytest.raises(InputError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert len(message) < 1500
    assert "\n" not in message
    return message


def assert_same(net: SamNet, state: dict[str, Tensor]) -> None:
    loaded = net.state_dict()
    assert list(loaded) == list(state)
    for name, tensor in state.items():
        assert loaded[name].dtype is torch.float32
        assert torch.equal(loaded[name], tensor.float()), name


def test_the_published_network_has_the_published_names_and_shapes() -> None:
    published = {name: tuple(shape) for name, shape in json.loads(SHAPES.read_text()).items()}
    assert shapes_of(meta_net(PUBLISHED)) == published
    assert sizes_of(published) == PUBLISHED


@pytest.mark.parametrize(
    "config",
    [
        TINY,
        LEAST,
        replace(TINY, window=11),
        replace(TINY, boxes=True),
        replace(TINY, depth=2, heads=3, global_blocks=(), mask_channels=8),
        replace(TINY, global_blocks=(0, 1, 2, 3), window=8),
        replace(PUBLISHED, boxes=True),
    ],
)
def test_sizes_are_read_off_the_shapes(config: SamConfig) -> None:
    assert sizes_of(shapes_of(meta_net(config))) == config


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_network_comes_back_as_it_was_saved(tmp_path: Path, ending: str) -> None:
    net = random_net(TINY)
    path = tmp_path / f"net{ending}"
    save_checkpoint(net, path)
    loaded, sha256 = load_checkpoint(path)
    assert loaded.config == TINY
    assert_same(loaded, net.state_dict())
    assert not loaded.training
    assert all(parameter.requires_grad for parameter in loaded.parameters())
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_saved_network_has_the_published_layout(tmp_path: Path) -> None:
    net = random_net(LEAST)
    save_checkpoint(net, tmp_path / "net.pth")
    saved = torch.load(tmp_path / "net.pth", weights_only=True)
    assert list(saved) == ["model_state_dict"]
    assert list(saved["model_state_dict"]) == list(net.state_dict())


def test_matrices_in_half_precision_are_saved_in_float32(tmp_path: Path) -> None:
    net = random_net(LEAST)
    net.image_encoder.cast_matrices(torch.bfloat16)
    save_checkpoint(net, tmp_path / "net.pth")
    assert_same(load_checkpoint(tmp_path / "net.pth")[0], net.state_dict())


def test_an_ending_that_is_no_checkpoint_is_refused_on_saving(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown ending"):
        save_checkpoint(random_net(LEAST), tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_network_stays_what_it_is_when_its_file_changes(tmp_path: Path, least: dict[str, Tensor]) -> None:
    for ending in (".pth", ".safetensors"):
        path = tmp_path / f"net{ending}"
        save_checkpoint(random_net(LEAST), path)
        loaded, _ = load_checkpoint(path)
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
        assert_same(loaded, least)


def test_loading_does_not_load_the_compiler(tmp_path: Path) -> None:
    save_checkpoint(random_net(LEAST), tmp_path / "net.pth")
    code = f"""
import sys
from pathlib import Path
from SegAnyPETLib.models.sam.checkpoint import load_checkpoint
load_checkpoint(Path({str(tmp_path / "net.pth")!r}))
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("key", ["model_state_dict", "state_dict", "model"])
def test_containers_of_the_training_are_opened(tmp_path: Path, least: dict[str, Tensor], key: str) -> None:
    path = tmp_path / "sam_model_dice_best.pth"
    container = {
        "epoch": 7,
        key: OrderedDict(least),
        "optimizer_state_dict": {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(4)}}},
        "lr_scheduler_state_dict": {"milestones": {120: 1}, "base_lrs": [8e-4]},
        "losses": [0.5, np.float64(0.25)],
        "best_dice": np.float64(0.5),
        "args": argparse.Namespace(task_name="union", resume=False, gpu_ids=[0, 1]),
        "used_datas": ["a/b", "c"],
    }
    torch.save(container, path)
    assert_same(load_checkpoint(path)[0], least)


def test_a_container_of_numpy_1_is_opened(tmp_path: Path, least: dict[str, Tensor]) -> None:
    path = tmp_path / "old.pth"
    torch.save({"model_state_dict": least, "best_dice": np.float64(0.5)}, path)
    with zipfile.ZipFile(tmp_path / "one.pth", "w") as new, zipfile.ZipFile(path) as old:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("data.pkl"):
                assert data.count(b"numpy._core.multiarray\nscalar") == 1
                data = data.replace(b"numpy._core.multiarray\nscalar", b"numpy.core.multiarray\nscalar")
            new.writestr(name, data)
    assert_same(load_checkpoint(tmp_path / "one.pth")[0], least)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_bare_tensors_of_other_precisions_become_float32(
    tmp_path: Path, least: dict[str, Tensor], kind: torch.dtype, ending: str
) -> None:
    state = {name: tensor.to(kind) for name, tensor in least.items()}
    path = tmp_path / f"net{ending}"
    write(path, state)
    assert_same(load_checkpoint(path)[0], state)


def test_transposed_tensors_keep_their_numbers(tmp_path: Path, least: dict[str, Tensor]) -> None:
    name = "mask_decoder.iou_prediction_head.layers.0.weight"
    torch.save(least | {name: least[name].t().contiguous().t()}, tmp_path / "net.pth")
    assert_same(load_checkpoint(tmp_path / "net.pth")[0], least)


def test_weights_with_box_prompts_have_two_names_more(tmp_path: Path) -> None:
    net = random_net(replace(LEAST, boxes=True))
    save_checkpoint(net, tmp_path / "net.pth")
    loaded, _ = load_checkpoint(tmp_path / "net.pth")
    assert loaded.config.boxes
    assert_same(loaded, net.state_dict())
    assert len(meta_net(replace(PUBLISHED, boxes=True)).state_dict()) == 326


def write(path: Path, state: Any) -> Path:
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return path


def test_missing_unexpected_and_misshapen_tensors_are_named(tmp_path: Path, least: dict[str, Tensor]) -> None:
    state = dict(least)
    del state["prompt_encoder.no_mask_embed.weight"]
    state["head.bias"] = torch.zeros(2)
    state["mask_decoder.iou_token.weight"] = torch.zeros(2, 48)
    message = refusal(write(tmp_path / "net.pth", state))
    assert "1 missing (prompt_encoder.no_mask_embed.weight)" in message
    assert "1 unexpected (head.bias)" in message
    assert "1 of another shape (mask_decoder.iou_token.weight: 2x48 instead of 1x48)" in message


def test_many_names_are_counted_and_not_all_told(tmp_path: Path, least: dict[str, Tensor]) -> None:
    message = refusal(write(tmp_path / "net.pth", least | {f"extra.{n}": torch.zeros(1) for n in range(30)}))
    assert "30 unexpected (extra.0, extra.1, extra.2, extra.3 and 26 more)" in message


def test_another_architecture_is_told_what_it_lacks(tmp_path: Path) -> None:
    resnet = {"conv1.weight": torch.zeros(64, 3, 7, 7), "bn1.weight": torch.ones(64), "fc.bias": torch.zeros(10)}
    message = refusal(write(tmp_path / "resnet.pth", {"state_dict": resnet}))
    assert "324 missing (image_encoder.pos_embed" in message
    assert "3 unexpected (conv1.weight, bn1.weight, fc.bias)" in message


def test_weights_of_lite_are_another_architecture(tmp_path: Path) -> None:
    lite = {name: tensor.contiguous() for name, tensor in LiteNet(11, (8, 16), (1, 1)).state_dict().items()}
    assert "SAM-Med3D family" in refusal(write(tmp_path / "lite.safetensors", lite))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("image_encoder.pos_embed", (1, 0, 2, 2, 12)),
        ("image_encoder.pos_embed", (2, 12)),
        ("image_encoder.blocks.0.attn.rel_pos_d", (4, 6)),
        ("image_encoder.blocks.0.attn.rel_pos_d", (5, 5)),
        ("image_encoder.blocks.0.attn.rel_pos_d", (5, 0)),
        ("image_encoder.neck.0.weight", (0, 12, 1, 1, 1)),
        ("image_encoder.neck.0.weight", (5, 12, 1, 1, 1)),
        ("prompt_encoder.mask_downscaling.3.weight", (1, 4, 2, 2, 2)),
    ],
)
def test_shapes_of_no_network_are_refused(
    tmp_path: Path, least: dict[str, Tensor], name: str, shape: tuple[int, ...]
) -> None:
    assert "SAM-Med3D family" in refusal(write(tmp_path / "net.pth", least | {name: torch.zeros(shape)}))


def test_blocks_without_end_are_refused(tmp_path: Path, least: dict[str, Tensor]) -> None:
    many = {f"image_encoder.blocks.{n}.norm1.weight": torch.zeros(12) for n in range(2000)}
    assert "no network" in refusal(write(tmp_path / "net.pth", least | many))


def test_names_of_a_wrapped_network_are_explained(tmp_path: Path, least: dict[str, Tensor]) -> None:
    wrapped = {f"module.{name}": tensor for name, tensor in least.items()}
    assert "saved from a wrapped network" in refusal(write(tmp_path / "net.pth", wrapped))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_weights_that_are_no_numbers_are_refused(
    tmp_path: Path, least: dict[str, Tensor], value: float, ending: str
) -> None:
    state = {name: tensor.clone() for name, tensor in least.items()}
    state["mask_decoder.mask_tokens.weight"][2, 5] = value
    assert "mask_decoder.mask_tokens.weight" in refusal(write(tmp_path / f"net{ending}", state))


# Files that mean harm, or have come to some.


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


class Stored:
    """A storage as a pickle declares it."""

    def __init__(self, numbers: int) -> None:
        self.numbers = numbers


class Declared:
    """A tensor as a pickle declares it."""

    def __init__(self, numbers: int, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.arguments = (Stored(numbers), offset, size, stride, False, OrderedDict())

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return torch._utils._rebuild_tensor_v2, self.arguments


class _Pickler(pickle.Pickler):
    def persistent_id(self, thing: Any) -> Any:
        return ("storage", torch.FloatStorage, "0", "cpu", thing.numbers) if isinstance(thing, Stored) else None


def write_archive(path: Path, content: bytes | Any, storage: bytes = bytes(64), **options: Any) -> Path:
    """A checkpoint made by hand; `content` is a pickle or an object to be pickled."""
    with path.with_suffix(".pkl").open("w+b") as file:
        file.write(content) if isinstance(content, bytes) else _Pickler(file, 2).dump(content)
        file.seek(0)
        data = file.read()
    path.with_suffix(".pkl").unlink()
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, record in {"data.pkl": data, "byteorder": b"little", "data/0": storage, "version": b"3\n"}.items():
            archive.writestr(f"archive/{name}", record)
    return path


def test_an_archive_made_by_hand_is_opened(tmp_path: Path, least: dict[str, Tensor]) -> None:
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
    calls_a_storage = io.BytesIO()
    _Pickler(calls_a_storage, 2).dump(Stored(2**18))
    path = write_archive(tmp_path / "net.pth", calls_a_storage.getvalue()[:-1] + b")R.", bytes(2**20))
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


@pytest.mark.parametrize("made", ["torchscript", "plain zip", "two networks", "with a comment", "big-endian"])
def test_other_archives_are_refused(tmp_path: Path, least: dict[str, Tensor], made: str) -> None:
    path = tmp_path / "net.pth"
    if made == "torchscript":
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("data.pkl", "constants.pkl", "code/__torch__.py"):
                archive.writestr(f"net/{name}", b"x")
    else:
        torch.save(least, path)
        with zipfile.ZipFile(path, "a") as archive:
            if made == "plain zip":
                archive.writestr("photo.jpg", b"x")
            elif made == "two networks":
                archive.writestr("other/data.pkl", b"\x80\x02N.")
            elif made == "with a comment":
                archive.comment = b"made by hand"
            else:
                write_archive(path, {"a": Declared(16, 0, (16,), (1,))})
    if made == "big-endian":
        path.write_bytes(path.read_bytes().replace(b"archive/byteorderlittle", b"archive/byteorderbigbig"))
    refusal(path)


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


@pytest.mark.parametrize(("ending", "kept"), [(".safetensors", 3.0), (".pth", 1.5)])
def test_the_voxel_size_of_the_windows_is_kept_where_the_file_can_state_it(
    tmp_path: Path, ending: str, kept: float
) -> None:
    path = tmp_path / f"weights{ending}"
    save_checkpoint(random_net(LEAST), path, spacing_mm=3.0)
    assert window_spacing_mm(path) == kept


@pytest.mark.parametrize("stated", ["0", "-2", "nan", "two"])
def test_an_impossible_voxel_size_is_refused(tmp_path: Path, least: dict[str, Tensor], stated: str) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(least, path, metadata={"window_spacing_mm": stated})
    with pytest.raises(InputError, match="no possible voxel size"):
        window_spacing_mm(path)
