"""A model in this very process: for the command line and tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage

if TYPE_CHECKING:
    from SegAnyPETLib.models.engine import Engine
    from SegAnyPETLib.models.spec import ModelSpec


class InProcessBackend:
    """Passes requests to an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def spec(self) -> ModelSpec:
        """The engine's model."""
        return self.engine.spec

    @property
    def device(self) -> str:
        """Where the engine runs and in which precision."""
        return f"{self.engine.device.type}, {self.engine.precision}"

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        """Segment targets in a window."""
        answers = self.engine.predict(image.array_kji, image.spacing_mm, image.sha256, targets)
        return [Prediction(a.logits_kji, expected_dice(a.logits_kji), a.memory) for a in answers]


def expected_dice(logits_kji: NDArray[np.float32]) -> float:
    """Dice between a mask and its truth, expected under the model's own probabilities; 0 for an empty mask."""
    mask = logits_kji > 0
    if not mask.any():
        return 0.0
    # exp(-30) counts as nothing, so float32 neither overflows nor loses anything.
    probability = 1 / (1 + np.exp(-np.clip(logits_kji, -30, 30)))
    total = float(probability.sum(dtype=np.float64))
    return float(2 * probability[mask].sum(dtype=np.float64) / (np.count_nonzero(mask) + total))


def load_backend(
    model: str = "lite", device: str = "cpu", threads: int | None = None, precision: str | None = None
) -> InProcessBackend:
    """Load a model; torch is imported here.

    Args:
        model: its name, or the path of a weights file.
        device: "cpu", "cuda" or "mps".
        threads: threads of the CPU, torch's default where None.
        precision: "fp32", "bf16" or "fp16"; None for the model's own choice on the device.

    Raises:
        InputError: the model is not known or not installed, or the device or precision is not there.
    """
    from SegAnyPETLib.models.engine import Engine

    return InProcessBackend(Engine.load(model, device, threads, precision))
