"""Run a promptable model on a device: each window is embedded once, then decoded at every click.

An engine and its cache belong to one thread at a time; what a device prepares at first use belongs to a thread.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError, OutOfMemory
from SegAnyPETLib.models.device import checked_device
from SegAnyPETLib.models.embedding_cache import EmbeddingCache
from SegAnyPETLib.models.loading import load_model
from SegAnyPETLib.models.memory import attempt, give_back
from SegAnyPETLib.models.promptable import ModelOutput, Promptable, Prompts
from SegAnyPETLib.models.spec import ModelSpec

#: Memory for the embeddings of one engine; one of the published size takes 0.8 MB.
CACHE_BYTES = 256 * 1024**2
#: Number of targets that are decoded as one batch: more are hardly faster, and their memory would grow without bound.
TARGETS_AT_ONCE = 8


class Engine:
    """A model on a device.

    Args:
        model: its network.
        device: where it runs; the caller has checked that it exists.
        precision: "fp32", "bf16" or "fp16"; None for the model's own choice on the device.
        cache: keeps embeddings; engines of one service share it. None for one of its own.

    Attributes:
        precision: precision that it runs in.

    Raises:
        InputError: the model cannot run in this precision on this device.
    """

    def __init__(
        self,
        model: Promptable,
        device: torch.device,
        precision: str | None = None,
        cache: EmbeddingCache | None = None,
    ) -> None:
        possible = model.precisions(device)
        self.precision = precision or possible[0]
        if self.precision not in possible:
            raise InputError(
                f"{model.spec.name} does not run in {precision} on {device.type}; possible: {', '.join(possible)}"
            )
        self.model, self.device = model, device
        self.cache = EmbeddingCache(CACHE_BYTES) if cache is None else cache
        model.to(device, self.precision)

    @classmethod
    def load(
        cls,
        model: str,
        device: str = "cpu",
        threads: int | None = None,
        precision: str | None = None,
        cache: EmbeddingCache | None = None,
    ) -> Engine:
        """Load a model by name, or from a weights file.

        Raises:
            DeviceMissing: the machine has no such device.
            InputError: the model is not known or not installed, its weights are damaged, or it cannot run in the
                precision.
        """
        checked_device(device)  # before the weights, which take longer
        return cls.on(load_model(model), device, threads, precision, cache)

    @classmethod
    def on(
        cls,
        model: Promptable,
        device: str = "cpu",
        threads: int | None = None,
        precision: str | None = None,
        cache: EmbeddingCache | None = None,
    ) -> Engine:
        """Put a model on the named device.

        Raises:
            DeviceMissing: the machine has no such device.
            InputError: the model cannot run in the precision there.
        """
        torch_device = checked_device(device)
        if threads is not None:
            torch.set_num_threads(threads)
        return cls(model, torch_device, precision, cache)

    @property
    def spec(self) -> ModelSpec:
        """Specification of the model."""
        return self.model.spec

    @property
    def threads(self) -> int:
        """Number of CPU threads."""
        return torch.get_num_threads()

    def knows(self, key: str) -> bool:
        """Return whether the embedding of a window is kept."""
        return key in self.cache

    @torch.inference_mode()
    def predict(
        self, image_kji: NDArray[np.float32] | None, spacing_mm: float, key: str, targets: Sequence[Prompts]
    ) -> list[ModelOutput]:
        """Segment targets in a window, each on its own.

        Args:
            image_kji: (size, size, size) float32, SUV; may be None if the engine knows the window.
            spacing_mm: voxel size of the window.
            key: identifies the window; one whose embedding is kept is not embedded again.
            targets: prompts of each target.

        Raises:
            OutOfMemory: the device's memory does not suffice, not even with all other embeddings forgotten and one
                target at a time. The engine stays usable.
        """
        answers = attempt(lambda: self._answers(image_kji, spacing_mm, key, targets, TARGETS_AT_ONCE))
        if answers is None:
            self._make_room(key)
            answers = attempt(lambda: self._answers(image_kji, spacing_mm, key, targets, 1))
        if answers is None:
            self._make_room(key)
            raise OutOfMemory(
                f"the memory of the device {self.device.type} does not suffice for {self.spec.name}; close other "
                "programs that use it" + ("" if self.device.type == "cpu" else ", or run on the CPU")
            )
        return answers

    @torch.inference_mode()
    def embed(self, image_kji: NDArray[np.float32] | None, spacing_mm: float, key: str) -> torch.Tensor:
        """Return the embedding of a window, from the cache if it is there; the arguments are those of `predict`."""
        embedding = self.cache.get(key)
        if embedding is None:
            if image_kji is None:
                raise ValueError("a window that the engine does not know needs its image")
            image = torch.from_numpy(np.ascontiguousarray(image_kji)).to(self.device)
            embedding = self.model.embed(image, spacing_mm)
            self.cache.put(key, embedding)
        return embedding

    def _answers(
        self,
        image_kji: NDArray[np.float32] | None,
        spacing_mm: float,
        key: str,
        targets: Sequence[Prompts],
        at_once: int,
    ) -> list[ModelOutput]:
        embedding = self.embed(image_kji, spacing_mm, key)
        groups = [targets[n : n + at_once] for n in range(0, len(targets), at_once)]
        return [answer for group in groups for answer in self.model.decode(embedding, spacing_mm, group)]

    def _make_room(self, key: str) -> None:
        """Drop all embeddings but one, and return the memory that torch holds in reserve."""
        self.cache.keep_only(key)
        give_back(self.device)

    def warm_up(self) -> None:
        """Run once on nothing, so that the first click does not pay for what a device prepares at first use."""
        size, spacing_mm = self.spec.size, self.spec.spacing_mm[0]
        image = np.zeros((size, size, size), dtype=np.float32)
        image[size // 2] = 1.0
        self.predict(image, spacing_mm, "warm-up", [_ONE_POINT])
        self.cache.clear()


class _OnePoint:
    points_kji = np.zeros((1, 3), dtype=np.float32)
    positive = np.ones(1, dtype=bool)
    mask_kji = not_target_kji = previous_logits = None


_ONE_POINT = _OnePoint()
