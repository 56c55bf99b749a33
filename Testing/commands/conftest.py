"""A small model with random weights, and a small PET: commands run for real and fast."""

from pathlib import Path

import numpy as np
import pytest
import torch

from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.lite.prompt_maps import MAPS
from SegAnyPETLib.models.lite.weights import save_weights
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.volume import Volume

#: An oblique-free but flipped and anisotropic grid: i runs left, j posterior, k superior.
PET_MATRIX = np.array([[-4.0, 0, 0, 40], [0, -5.0, 0, 30], [0, 0, 3.0, -100], [0, 0, 0, 1]])


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that no one has trained."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "random.safetensors"
    save_weights(LiteNet(len(MAPS), (8, 16), (1, 1)), ModelSpec("random", 32, (2.0, 6.0), licence="none"), path)
    return path


@pytest.fixture
def pet() -> Volume:
    """A warm box with a hot cube at (k, j, i) = 5..8, 4..7, 9..12."""
    array = np.ones((14, 12, 20), np.float32)
    array[5:9, 4:8, 9:13] = 8.0
    array[6, 5, 10] = 9.5
    return Volume(array, PET_MATRIX)


@pytest.fixture
def pet_file(pet: Volume, tmp_path: Path) -> Path:
    path = tmp_path / "pet.nii.gz"
    write_volume(pet, path)
    return path
