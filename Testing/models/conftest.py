"""An empty folder for weights, and the smallest checkpoint."""

from pathlib import Path

import pytest
import torch

from SegAnyPETLib.models.sam.checkpoint import save_checkpoint
from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.models.sam.network import SamNet


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store's folder, which does not exist yet."""
    folder = tmp_path / "weights home"
    monkeypatch.setenv("SEGANYPET_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that no one has trained."""
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("checkpoint") / "my_lesion_model.pth"
    config = SamConfig(size=16, patch=8, width=12, depth=2, heads=2, global_blocks=(1,), window=3, prompt_width=48)
    save_checkpoint(SamNet(config), path)
    return path
