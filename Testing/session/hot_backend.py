"""A backend that needs no training and depends on all that it is told; and small volumes for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume

HOT, WARM, COLD = 5.0, 1.5, 1.0
Index = tuple[int, int, int]


class HotBackend:
    """Foreground is what is hot, and what is warm and was foreground before; but nothing near a negative point.

    Attributes:
        asked: every window image and prompts that it was shown.
        fails_in: at the prediction of this number, counted from 1, an error is raised.
    """

    device = "this one"

    def __init__(
        self, size: int = 8, spacing_mm: tuple[float, ...] = (1.0, 3.0), feeds_back_logits: bool = False
    ) -> None:
        self.spec = ModelSpec("hot", size, spacing_mm)
        self.feeds_back_logits = feeds_back_logits
        self.asked: list[tuple[WindowImage, TargetPrompts]] = []
        self.fails_in: int | None = None
        self.error: Exception | None = None

    def fail(self, fails_in: int, error: Exception) -> None:
        self.fails_in, self.error = fails_in, error

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        if self.fails_in is not None:
            self.fails_in -= 1
            if self.fails_in == 0 and self.error is not None:
                self.fails_in = None
                raise self.error
        (target,) = targets
        self.asked.append((image, target))
        before = np.zeros(image.array_kji.shape, dtype=bool)
        if target.previous_logits is not None:
            before = target.previous_logits > 0
        elif target.mask_kji is not None:
            before = target.mask_kji > 0.5
        found = (image.array_kji > 2) | (before & (image.array_kji > 1.2))
        grid = np.stack(np.meshgrid(*[np.arange(n) for n in found.shape], indexing="ij"), -1)
        for point in target.points_kji[~target.positive]:
            found &= np.linalg.norm((grid - point) * image.spacing_mm, axis=-1) > 1.2
        logits = np.where(found, 3.0, -3.0).astype(np.float32)
        return [Prediction.of(logits, len(logits), 0.9, self.feeds_back_logits)]

    def cancel(self) -> None:
        """Nothing runs beside a test."""


class OnionBackend(HotBackend):
    """One click without a mask may mean what lies above any of some levels; more prompts mean what `HotBackend` does.

    Args:
        levels: the level of the first mask, then those of the others.
        qualities: that the model expects of each.
        spacing_mm: voxel size of its windows.
    """

    def __init__(self, levels: tuple[float, ...], qualities: tuple[float, ...], spacing_mm: float = 1.0) -> None:
        super().__init__(size=16, spacing_mm=(spacing_mm,))
        self.spec = replace(self.spec, sha256="0" * 64)
        self.levels, self.qualities = levels, qualities

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        (prediction,) = super().predict(image, targets)
        (target,) = targets
        if not target.alternatives or len(target.points_kji) > 1 or target.mask is not None:
            return [prediction]
        first, *others = (
            Prediction.of(np.where(image.array_kji > level, 3.0, -3.0).astype(np.float32), 16, quality)
            for level, quality in zip(self.levels, self.qualities, strict=True)
        )
        return [replace(first, alternatives=tuple(others))]


def pet(
    shape_kji: tuple[int, int, int], *boxes: tuple[Index, Index], value: float = HOT, spacing_mm: float = 1.0
) -> Volume:
    """Cold tissue with hot boxes, given by their lowest and highest voxels (k, j, i)."""
    image = np.full(shape_kji, COLD, np.float32)
    for low, high in boxes:
        image[box(low, high)] = value
    return Volume(image, np.diag([-spacing_mm, spacing_mm, spacing_mm, 1.0]), "SUVbw")


def box(low_kji: Index, high_kji: Index) -> tuple[slice, ...]:
    """The voxels from the lowest to the highest, both counted."""
    return tuple(slice(a, b + 1) for a, b in zip(low_kji, high_kji, strict=True))


def at(volume: Volume, index_kji: Index, positive: bool = True) -> Point:
    """A click on a voxel."""
    r, a, s = volume.point_ras(index_kji)
    return Point((float(r), float(a), float(s)), positive)
