"""A model in the current process: for the command line, tests, and the server itself.

Threads: one thread at a time calls `predict`; any other may call `cancel`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.errors import Cancelled

if TYPE_CHECKING:
    from SegAnyPETLib.models.engine import Engine
    from SegAnyPETLib.models.promptable import ModelOutput
    from SegAnyPETLib.models.spec import ModelSpec


class InProcessBackend:
    """Pass requests to an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._cancelled = threading.Event()

    @property
    def spec(self) -> ModelSpec:
        """Specification of the engine's model."""
        return self.engine.spec

    @property
    def device(self) -> str:
        """Device and precision of the engine."""
        return f"{self.engine.device.type}, {self.engine.precision}"

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        """Segment targets in a window.

        Raises:
            Cancelled: `cancel` was called meanwhile; the model has run to its end, its answer is dropped.
            SegAnyPETError: the memory of the device does not suffice.
        """
        self._cancelled.clear()
        predictions = predict_in(self.engine, image.sha256, image.spacing_mm, image, targets)
        if self._cancelled.is_set():
            raise Cancelled
        return predictions

    def cancel(self) -> None:
        """Drop the answer of the `predict` that is running."""
        self._cancelled.set()


def predict_in(
    engine: Engine, sha256: str, spacing_mm: float, image: WindowImage | None, targets: Sequence[TargetPrompts]
) -> list[Prediction]:
    """Run an engine on a window.

    Args:
        engine: runs the model.
        sha256: of the window.
        spacing_mm: voxel size of the window.
        image: the window; may be None if the engine knows it.
        targets: prompts of each target.
    """
    image_kji = None if image is None or engine.knows(sha256) else image.array_kji
    outputs = engine.predict(image_kji, spacing_mm, sha256, targets)
    return [_prediction(o, t, engine.spec.size) for o, t in zip(outputs, targets, strict=True)]


def _prediction(output: ModelOutput, prompts: TargetPrompts, size: int) -> Prediction:
    """Return a model's output as it travels, with alternatives only if they were asked for."""
    quality = expected_dice(output.logits_kji) if output.quality is None else output.quality
    others = output.alternatives if prompts.alternatives else ()
    return Prediction.of(
        output.logits_kji,
        size,
        quality,
        output.feeds_back_logits,
        tuple(Prediction.of(other.logits_kji, size, other.quality) for other in others),
    )


def expected_dice(logits_kji: NDArray[np.float32]) -> float:
    """Return the Dice between a mask and the truth that the model's own probabilities predict; 0 for an empty mask."""
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
        model: name of a model, or path of a weights file.
        device: "cpu", "cuda" or "mps".
        threads: CPU threads; None for torch's default.
        precision: "fp32", "bf16" or "fp16"; None for the model's own choice on the device.

    Raises:
        DeviceMissing: the machine has no such device.
        InputError: the model is not known or not installed, or cannot run in the precision.
    """
    from SegAnyPETLib.models.engine import Engine

    return InProcessBackend(Engine.load(model, device, threads, precision))
