"""Checkpoints of the published layout, into a network and back."""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import zipfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.sam.checkpoint import load_checkpoint, save_checkpoint, window_spacing_mm
from SegAnyPETLib.models.sam.config import PUBLISHED
from SegAnyPETLib.models.sam.network import SamNet
from Testing.models.sam.checkpoints import LEAST, TINY, meta_net, random_net, refusal, write

ENDINGS = [".pth", ".pt", ".safetensors"]


def assert_same(net: SamNet, state: dict[str, Tensor]) -> None:
    loaded = net.state_dict()
    assert list(loaded) == list(state)
    for name, tensor in state.items():
        assert loaded[name].dtype is torch.float32
        assert torch.equal(loaded[name], tensor.float()), name


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_weights_with_box_prompts_have_two_names_more(tmp_path: Path) -> None:
    net = random_net(replace(LEAST, boxes=True))
    save_checkpoint(net, tmp_path / "net.pth")
    loaded, _ = load_checkpoint(tmp_path / "net.pth")
    assert loaded.config.boxes
    assert_same(loaded, net.state_dict())
    assert len(meta_net(replace(PUBLISHED, boxes=True)).state_dict()) == 326


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
