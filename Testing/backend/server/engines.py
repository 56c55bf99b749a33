"""Small engines with random weights, and requests to them."""

from __future__ import annotations

import numpy as np
import torch

from SegAnyPETLib.backend.protocol import TargetPrompts, WindowImage
from SegAnyPETLib.backend.wire import PredictRequest
from SegAnyPETLib.models.engine import Engine
from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.lite.predictor import LiteModel
from SegAnyPETLib.models.lite.prompt_maps import MAPS
from SegAnyPETLib.models.promptable import Promptable
from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.models.sam.predictor import SamModel
from SegAnyPETLib.models.spec import ModelSpec

SIZE = 16


def lite() -> LiteModel:
    torch.manual_seed(2)
    net = LiteNet(len(MAPS), channels=(8, 16), blocks=(1, 1)).eval()
    return LiteModel(net, ModelSpec("lite", SIZE, (2.0, 6.5), sha256="1" * 64))


def sam() -> SamModel:
    torch.manual_seed(2)
    config = SamConfig(SIZE, patch=8, width=12, depth=2, heads=2, global_blocks=(1,), window=3, prompt_width=48)
    spec = ModelSpec("sam", SIZE, (1.5,), sha256="2" * 64, memory_size=config.mask_size)
    return SamModel(SamNet(config).eval(), spec)


def engine(model: Promptable) -> Engine:
    return Engine(model, torch.device("cpu"), "fp32")


def window(seed: int = 0, size: int = SIZE, spacing_mm: float = 2.0) -> WindowImage:
    voxels = np.random.default_rng(seed).uniform(0, 5, (size,) * 3).astype(np.float32)
    return WindowImage.of(voxels, spacing_mm)


def clicked(*points_kji: tuple[float, float, float]) -> TargetPrompts:
    points = np.array(points_kji or [(8, 7, 6)], np.float32).reshape(-1, 3)
    return TargetPrompts(points, np.ones(len(points), bool))


def asked(
    image: WindowImage | None = None,
    *targets: TargetPrompts,
    upload: bool = True,
    model: str = "lite",
    weights_sha256: str = "1" * 64,
) -> PredictRequest:
    """A request for a window; without `upload` the server must know it."""
    image = image or window()
    return PredictRequest(
        model, weights_sha256, image.sha256, image.spacing_mm, image if upload else None, targets or (clicked(),)
    )
