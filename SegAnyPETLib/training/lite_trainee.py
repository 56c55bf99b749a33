"""How SegAnyPET-Lite is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.lite.prompt_maps import MAPS, PromptBatch, encode, pad_points
from SegAnyPETLib.models.lite.weights import channels_last, load_weights, save_weights
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.training.episodes import Episode
from SegAnyPETLib.training.recipe import Recipe
from SegAnyPETLib.training.start_weights import start_file
from SegAnyPETLib.volume.atomic import replacing

#: Share of steps that show the mask alone, as for a mask that came from elsewhere.
MASK_ONLY_SHARE = 0.06
#: Share of steps that show the mask as probabilities; the others show it as a session does, after the threshold.
SOFT_SHARE = 0.2
#: Share of steps that show a mask as coarse as one from a window of larger voxels.
COARSE_SHARE = 0.25
#: Voxel sizes in mm of the windows that Lite is trained on and a session may choose.
SPACINGS_MM = (2.0, 6.5)
LICENCE = "Apache-2.0; training data: see Resources/MODEL_CARD.md"


class LiteTrainee:
    """The prompts of an episode enter Lite as maps; the mask so far is one of them.

    Args:
        recipe: of the run.
        output: its folder, which holds the earlier run that it may start from.
    """

    def __init__(self, recipe: Recipe, output: Path) -> None:
        self.recipe, self.output = recipe, output

    def network(self) -> nn.Module:
        """A new network, or that of an earlier run.

        Raises:
            InputError: its weights are missing or damaged.
        """
        if not self.recipe.start_from:
            return channels_last(LiteNet(len(MAPS)))
        net, _ = load_weights(start_file(self.recipe.start_from, self.output))
        return channels_last(net.train())

    def forward(
        self, net: nn.Module, episodes: Sequence[Episode], rng: np.random.Generator, device: torch.device
    ) -> tuple[Tensor, None]:
        """Logits (B, K, J, I); Lite has no memory but the mask."""
        maps = encode(prompt_batch(episodes, rng, device)).contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.recipe.bf16):
            return net(maps), None

    def save(self, net: nn.Module) -> Path:
        """Write weights and specification to `NAME.safetensors`."""
        path = self.output / f"{self.recipe.name}.safetensors"
        spec = ModelSpec("lite", self.recipe.size, SPACINGS_MM, licence=LICENCE)
        with replacing(path, ".safetensors") as part:
            save_weights(cast(LiteNet, net), spec, part)
        return path


def prompt_batch(episodes: Sequence[Episode], rng: np.random.Generator, device: torch.device) -> PromptBatch:
    """What Lite is shown of some episodes."""
    shown = [_shown(e, rng) for e in episodes]
    points, labels = pad_points(
        [
            torch.tensor(e.points if s else [], dtype=torch.float32).reshape(-1, 3)
            for e, (_, s) in zip(episodes, shown, strict=True)
        ],
        [torch.tensor(e.labels if s else [], dtype=torch.int64) for e, (_, s) in zip(episodes, shown, strict=True)],
    )
    previous = [np.zeros_like(e.sample.image) if m is None else m for e, (m, _) in zip(episodes, shown, strict=True)]
    batch = PromptBatch(
        image=torch.from_numpy(np.stack([e.sample.image for e in episodes])),
        points=points,
        labels=labels,
        previous=torch.from_numpy(np.stack(previous)),
        has_previous=torch.tensor([m is not None for m, _ in shown]),
        spacing_mm=torch.tensor([e.sample.spacing_mm for e in episodes], dtype=torch.float32),
    )
    return PromptBatch(**{name: value.to(device) for name, value in vars(batch).items()})


def _shown(episode: Episode, rng: np.random.Generator) -> tuple[NDArray[np.float32] | None, bool]:
    """The mask to show, and whether the points are shown beside it."""
    mask = episode.previous
    if mask is None:
        return None, True
    if rng.random() > SOFT_SHARE:
        mask = (mask > 0.5).astype(np.float32)
    if rng.random() < COARSE_SHARE:
        mask = coarsened(mask, int(rng.integers(2, 4)))
    return mask, rng.random() > MASK_ONLY_SHARE


def coarsened(mask: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """The mask as it comes from a window with voxels ``factor`` times as large."""
    coarse = ndimage.zoom(_blocks(mask, factor), factor, order=1, mode="nearest", grid_mode=True)
    k, j, i = mask.shape
    return (coarse[:k, :j, :i] > 0.5).astype(np.float32)


def _blocks(mask: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Mean over blocks of ``factor`` voxels per side; beyond its end the mask is zero."""
    padded = np.pad(mask, [(0, -n % factor) for n in mask.shape])
    k, j, i = (n // factor for n in padded.shape)
    return padded.reshape(k, factor, j, factor, i, factor).mean((1, 3, 5))
