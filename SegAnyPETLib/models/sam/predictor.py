"""A network of the SAM-Med3D family as a promptable model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from SegAnyPETLib.models.device import DTYPES, native_bfloat16
from SegAnyPETLib.models.promptable import ModelOutput, Prompts
from SegAnyPETLib.models.sam.checkpoint import PUBLISHED_SPACING_MM, load_checkpoint, window_spacing_mm
from SegAnyPETLib.models.sam.config import PUBLISHED
from SegAnyPETLib.models.sam.inputs import mask_prompt, network_axes, normalised
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.models.spec import ModelSpec


class SamModel:
    """A SAM-Med3D network as a model: the image encoder runs once per window, a click costs prompts and decoder only.

    Args:
        net: the network, in evaluation mode.
        spec: its specification.
    """

    def __init__(self, net: SamNet, spec: ModelSpec) -> None:
        self.net, self.spec = net, spec
        self.device = torch.device("cpu")

    @classmethod
    def load(cls, path: Path, name: str, licence: str = "") -> SamModel:
        """Load a checkpoint.

        Raises:
            InputError: it is missing, damaged, of another architecture or not safe to read.
        """
        net, sha256 = load_checkpoint(path)
        spacing_mm = (window_spacing_mm(path),)
        return cls(net, ModelSpec(name, net.config.size, spacing_mm, sha256, licence, net.config.mask_size))

    def precisions(self, device: torch.device) -> tuple[str, ...]:
        """Return exact precisions first on a CPU, fast ones first on a GPU; float16 on a GPU only."""
        if device.type == "cuda":
            return ("bf16", "fp32", "fp16") if native_bfloat16(device) else ("fp32", "fp16")
        return ("fp32", "fp16") if device.type == "mps" else ("fp32", "bf16")

    def to(self, device: torch.device, precision: str) -> None:
        """Move to a device; the precision is that of the encoder's matrix products."""
        self.net.image_encoder.cast_matrices(DTYPES[precision])
        self.net.to(device)
        self.device = device

    def embed(self, image_kji: Tensor, spacing_mm: float) -> Tensor:
        """Return the embedding, (1, prompt_width, G, G, G)."""
        return self.net.image_encoder(normalised(image_kji[None]))

    def decode(self, embedding: Tensor, spacing_mm: float, targets: Sequence[Prompts]) -> list[ModelOutput]:
        """Decode targets; those with equally many points are one batch, since padding points would change the input."""
        outputs: dict[int, ModelOutput] = {}
        points = [_points_inside(t, self.spec.size) for t in targets]
        for count in sorted({len(p[1]) for p in points}):
            batch = [n for n, p in enumerate(points) if len(p[1]) == count]
            low_logits, _ = self.net.decode(
                embedding,
                torch.stack([points[n][0] for n in batch]).to(self.device),
                torch.stack([points[n][1] for n in batch]).to(self.device),
                torch.cat([self._mask_logits(targets[n]) for n in batch]),
            )
            logits = network_axes(low_logits[:, 0].float()).cpu().numpy()
            outputs |= {n: ModelOutput(logits[m], feeds_back_logits=True) for m, n in enumerate(batch)}
        return [outputs[n] for n in range(len(targets))]

    def _mask_logits(self, target: Prompts) -> Tensor:
        """Return (1, 1, M, M, M): the previous logits, else those of a mask prompt, else zeros."""
        size = self.net.config.mask_size
        if target.previous_logits is not None:
            logits = torch.from_numpy(target.previous_logits).to(self.device, torch.float32)
            return network_axes(logits).reshape(1, 1, size, size, size)
        if target.mask_kji is not None:
            return mask_prompt(torch.from_numpy(target.mask_kji).to(self.device)[None], size)
        return torch.zeros(1, 1, size, size, size, device=self.device)


def untrained() -> SamModel:
    """Make a model of the published size with random weights: it costs as much time, and its masks mean nothing."""
    torch.manual_seed(0)
    spec = ModelSpec(
        "published size", PUBLISHED.size, (PUBLISHED_SPACING_MM,), previous_logits_size=PUBLISHED.mask_size
    )
    return SamModel(SamNet().eval(), spec)


def _points_inside(target: Prompts, size: int) -> tuple[Tensor, Tensor]:
    """Return points (N, 3) in the network's axes and their labels (N,), without those outside the window."""
    inside = ((target.points_kji > -0.5) & (target.points_kji < size - 0.5)).all(-1)
    points = np.ascontiguousarray(target.points_kji[inside][:, ::-1])
    return torch.from_numpy(points), torch.from_numpy(target.positive[inside].astype(np.int64))
