"""Small networks, and their checkpoints as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.sam.checkpoint import load_checkpoint
from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.models.sam.network import SamNet

TINY = SamConfig(size=64, patch=8, width=96, depth=4, heads=4, global_blocks=(1, 3), window=5, prompt_width=48)
#: The smallest network, where only the file matters.
LEAST = SamConfig(size=16, patch=8, width=12, depth=2, heads=2, global_blocks=(1,), window=3, prompt_width=48)


def random_net(config: SamConfig) -> SamNet:
    """A network whose every parameter is random, those that begin as zeros too."""
    torch.manual_seed(3)
    net = SamNet(config)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_()
    return net


def meta_net(config: SamConfig) -> SamNet:
    """A network without numbers."""
    with torch.device("meta"):
        return SamNet(config)


def write(path: Path, state: Any) -> Path:
    """Anything as a file of the kind that its ending says."""
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return path


def refusal(path: Path) -> str:
    """The one line that a file is refused with."""
    with pytest.raises(InputError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert len(message) < 1500
    assert "\n" not in message
    return message
