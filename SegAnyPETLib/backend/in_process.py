"""A model in this very process: for the command line and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Prediction, Request

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

    def predict(self, request: Request) -> Prediction:
        """Segment a target."""
        logits = self.engine.predict(
            request.image_kji, request.spacing_mm, request.points_kji, request.positive, request.mask_kji
        )
        return Prediction(logits, expected_dice(logits))


def expected_dice(logits_kji: NDArray[np.float32]) -> float:
    """Dice between a mask and its truth, expected under the model's own probabilities; 0 for an empty mask."""
    probability = 1 / (1 + np.exp(-np.clip(logits_kji, -30, 30)))
    mask = logits_kji > 0
    if not mask.any():
        return 0.0
    return float(2 * probability[mask].sum() / (mask.sum() + probability.sum()))


def load_backend(model: str = "lite", device: str = "cpu", threads: int | None = None) -> InProcessBackend:
    """Load a bundled model; torch is imported here.

    Args:
        model: its name, or the path of a weights file.
        device: "cpu", "cuda" or "mps".
        threads: threads of the CPU, torch's default where None.

    Raises:
        InputError: the model is not known, or the device is not there.
    """
    from SegAnyPETLib.models.engine import Engine

    return InProcessBackend(Engine.load(model, device, threads))
