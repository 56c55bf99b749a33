"""A model that needs no training, is quick, and depends on all that it is told; and small volumes for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
import torch

from SegAnyPETLib.backend.protocol import TargetPrompts, WindowImage
from SegAnyPETLib.models.embedding_cache import EmbeddingCache
from SegAnyPETLib.models.engine import Engine
from SegAnyPETLib.models.promptable import ModelOutput, Prompts
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume

SIZE = 16
#: Voxels (k, j, i) of the hot boxes of `pet`, and where they begin and end.
LESIONS = (((4, 4, 4), (9, 9, 9)), ((16, 14, 4), (21, 18, 9)), ((6, 18, 16), (10, 23, 20)))


class HotModel:
    """Foreground is what is hot, or warm and foreground before; but nothing beside a negative point.

    Attributes:
        before: called at the beginning of every decoding.
        embedded: how many windows were embedded.
        entered: set at the beginning of every decoding.
    """

    def __init__(self, size: int = SIZE, feeds_back_logits: bool = False, sha256: str = "a" * 64) -> None:
        self.spec = ModelSpec("hot", size, (1.0, 3.0), sha256, previous_logits_size=size if feeds_back_logits else 0)
        self.feeds_back_logits = feeds_back_logits
        self.before: Callable[[], None] = lambda: None
        self.embedded = 0
        self.entered = threading.Event()

    def precisions(self, device: torch.device) -> tuple[str, ...]:
        return ("fp32",)

    def to(self, device: torch.device, precision: str) -> None:
        """It has no weights."""

    def embed(self, image_kji: torch.Tensor, spacing_mm: float) -> torch.Tensor:
        self.embedded += 1
        return image_kji.clone()

    def decode(self, embedding: torch.Tensor, spacing_mm: float, targets: Sequence[Prompts]) -> list[ModelOutput]:
        self.entered.set()
        self.before()
        return [self._answer(embedding.numpy(), spacing_mm, target) for target in targets]

    def _answer(self, image_kji: np.ndarray, spacing_mm: float, target: Prompts) -> ModelOutput:
        earlier = np.zeros(image_kji.shape, bool)
        if target.previous_logits is not None:
            earlier = np.asarray(target.previous_logits) > 0
        elif target.mask_kji is not None:
            earlier = target.mask_kji > 0.5
        found = (image_kji > 2) | (earlier & (image_kji > 1.2))
        grid = np.stack(np.meshgrid(*[np.arange(n) for n in found.shape], indexing="ij"), -1)
        for point in target.points_kji[~target.positive]:
            found &= np.linalg.norm((grid - point) * spacing_mm, axis=-1) > 1.2
        return ModelOutput(np.where(found, 3.0, -3.0).astype(np.float32), self.feeds_back_logits)


def engine(model: HotModel | None = None, cache: EmbeddingCache | None = None) -> Engine:
    return Engine(model or HotModel(), torch.device("cpu"), cache=cache)


def pet() -> Volume:
    """Cold tissue with hot boxes that differ from voxel to voxel."""
    image = np.full((26, 26, 26), 1.0, np.float32)
    rng = np.random.default_rng(0)
    for low, high in LESIONS:
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        image[box] = rng.uniform(4, 9, image[box].shape)
    return Volume(image, np.diag([-1.0, 1.0, 1.0, 1.0]), "SUVbw")


def at(volume: Volume, index_kji: Sequence[float], positive: bool = True) -> Point:
    """A click on a voxel."""
    r, a, s = volume.point_ras(index_kji)
    return Point((float(r), float(a), float(s)), positive)


def middle(lesion: int) -> tuple[int, int, int]:
    """A voxel inside a lesion."""
    low, high = LESIONS[lesion]
    k, j, i = ((a + b) // 2 for a, b in zip(low, high, strict=True))
    return k, j, i


def window(seed: int = 0, size: int = SIZE) -> WindowImage:
    """Random voxels."""
    return WindowImage.of(np.random.default_rng(seed).uniform(0, 5, (size,) * 3).astype(np.float32), 2.0)


def clicked(*point_kji: float, positive: bool = True) -> TargetPrompts:
    """One point."""
    return TargetPrompts(np.array([point_kji or (8, 7, 6)], np.float32), np.array([positive]))
