"""Small engines with random weights, and requests to them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from SegAnyPETLib.backend.messages.requests import PredictRequest
from SegAnyPETLib.backend.protocol import TargetPrompts, WindowImage
from SegAnyPETLib.backend.server.service import CACHE_BYTES, Service
from SegAnyPETLib.models.embedding_cache import EmbeddingCache
from SegAnyPETLib.models.engine import Engine
from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.lite.predictor import LiteModel
from SegAnyPETLib.models.lite.prompt_maps import MAPS
from SegAnyPETLib.models.promptable import ModelOutput, Promptable, Prompts
from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.models.sam.predictor import SamModel
from SegAnyPETLib.models.spec import ModelSpec

SIZE = 16
LITE = ModelSpec("lite", SIZE, (2.0, 6.5), sha256="1" * 64)
#: No test waits longer than this for a thread.
PATIENCE_S = 30.0


class Gate(LiteModel):
    """Lite, which stops at every click until it is let through, and notes the clicks."""

    def __init__(self) -> None:
        torch.manual_seed(2)
        super().__init__(LiteNet(len(MAPS), channels=(8, 16), blocks=(1, 1)).eval(), LITE)
        self.open, self.entered = threading.Event(), threading.Event()
        self.open.set()
        self.clicks: list[list[float]] = []
        self.fault: Callable[[], None] = lambda: None

    def close(self) -> None:
        """From here on, clicks wait."""
        self.open.clear()
        self.entered.clear()
        self.clicks.clear()

    def decode(self, embedding: torch.Tensor, spacing_mm: float, targets: Sequence[Prompts]) -> list[ModelOutput]:
        self.entered.set()
        assert self.open.wait(PATIENCE_S)
        self.clicks += [t.points_kji[0].tolist() for t in targets]
        self.fault()
        return super().decode(embedding, spacing_mm, targets)


def lite() -> LiteModel:
    return Gate()


def sam() -> SamModel:
    torch.manual_seed(2)
    config = SamConfig(SIZE, patch=8, width=12, depth=2, heads=2, global_blocks=(1,), window=3, prompt_width=48)
    spec = ModelSpec("sam", SIZE, (1.5,), sha256="2" * 64, previous_logits_size=config.mask_size)
    return SamModel(SamNet(config).eval(), spec)


def engine(model: Promptable, cache: EmbeddingCache | None = None) -> Engine:
    return Engine(model, torch.device("cpu"), "fp32", cache)


def engines(*models: Promptable, cache_bytes: int = CACHE_BYTES) -> list[Engine]:
    """Engines of one service."""
    cache = EmbeddingCache(cache_bytes)
    return [engine(model, cache) for model in models]


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
    weights_sha256: str = LITE.sha256,
) -> PredictRequest:
    """A request for a window; without `upload` the server must know it."""
    image = image or window()
    return PredictRequest(
        model, weights_sha256, image.sha256, image.spacing_mm, image if upload else None, targets or (clicked(),)
    )


@contextmanager
def started(service: Service) -> Iterator[Service]:
    """A service that is ready, and is stopped afterwards."""
    service.start()
    assert service.wait_started(PATIENCE_S)
    try:
        yield service
    finally:
        asyncio.run(service.stop())


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, as other threads make it."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)
