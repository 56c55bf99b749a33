"""The sizes of a network as its tensors' shapes tell them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from SegAnyPETLib.models.sam.config import PUBLISHED, SamConfig
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.models.sam.sizes import sizes_of
from Testing.models.sam.checkpoints import LEAST, TINY, meta_net, refusal, write

SHAPES = Path(__file__).parent / "fixtures" / "published_shapes.json"


def shapes_of(net: SamNet) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_blocks_without_end_are_refused(tmp_path: Path, least: dict[str, Tensor]) -> None:
    many = {f"image_encoder.blocks.{n}.norm1.weight": torch.zeros(12) for n in range(2000)}
    assert "not those of a network" in refusal(write(tmp_path / "net.pth", least | many))
