"""SegAnyPET-Lite as a promptable model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from SegAnyPETLib.models.device import native_bfloat16
from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.lite.prompt_maps import PromptBatch, encode, pad_points
from SegAnyPETLib.models.lite.weights import load_weights
from SegAnyPETLib.models.promptable import MaskEstimate, ModelOutput, Prompts
from SegAnyPETLib.models.spec import ModelSpec


class LiteModel:
    """Prompts enter Lite with the image, so its embedding of a window is the window itself.

    Args:
        net: the network, in evaluation mode.
        spec: its specification.
    """

    def __init__(self, net: LiteNet, spec: ModelSpec) -> None:
        self.net, self.spec = net, spec
        self.device, self.precision = torch.device("cpu"), "fp32"

    @classmethod
    def load(cls, path: Path, name: str) -> LiteModel:
        """Load a weights file, and call the model by a name.

        Raises:
            InputError: it is missing, damaged or of another layout.
        """
        net, spec = load_weights(path)
        return cls(net, replace(spec, name=name))

    def precisions(self, device: torch.device) -> tuple[str, ...]:
        """bfloat16 first where the device is faster in it."""
        return ("bf16", "fp32") if native_bfloat16(device) else ("fp32", "bf16")

    def to(self, device: torch.device, precision: str) -> None:
        """Move to a device; the precision is that of autocast."""
        self.net.to(device)
        self.device, self.precision = device, precision

    def embed(self, image_kji: Tensor, spacing_mm: float) -> Tensor:
        """Return the window itself."""
        return image_kji

    def decode(self, embedding: Tensor, spacing_mm: float, targets: Sequence[Prompts]) -> list[ModelOutput]:
        """Run the network on the window and the maps of all targets' prompts."""
        points, labels = pad_points(
            [torch.from_numpy(t.points_kji.reshape(-1, 3)) for t in targets],
            [torch.from_numpy(t.positive.astype(np.int64)) for t in targets],
        )
        nothing = torch.zeros(embedding.shape)
        masks = [nothing if t.mask_kji is None else torch.from_numpy(t.mask_kji) for t in targets]
        others = [nothing if t.not_target_kji is None else torch.from_numpy(t.not_target_kji) for t in targets]
        batch = PromptBatch(
            image=embedding.expand(len(targets), -1, -1, -1),
            points=points.to(self.device),
            labels=labels.to(self.device),
            previous=torch.stack(masks).to(self.device),
            has_previous=torch.tensor([t.mask_kji is not None for t in targets], device=self.device),
            spacing_mm=torch.full((len(targets),), spacing_mm, device=self.device),
            not_target=torch.stack(others).to(self.device),
        )
        maps = encode(batch).contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            output = self.net(maps)
        logits = output.logits.float().cpu().numpy()
        if output.dice is None:
            return [ModelOutput(masks[0]) for masks in logits]
        dice = output.dice.float().sigmoid().cpu().numpy()
        return [_answer(*one) for one in zip(logits, dice, targets, strict=True)]


def _answer(logits: NDArray[np.float32], dice: NDArray[np.float32], prompts: Prompts) -> ModelOutput:
    """Choose the first mask, (K, J, I) of (M, K, J, I); one point without a mask may mean the others too."""
    others: tuple[MaskEstimate, ...] = ()
    if len(prompts.positive) == 1 and prompts.mask_kji is None:
        others = tuple(MaskEstimate(mask, float(d)) for mask, d in zip(logits[1:], dice[1:], strict=True))
    return ModelOutput(logits[0], quality=float(dice[0]), alternatives=others)
