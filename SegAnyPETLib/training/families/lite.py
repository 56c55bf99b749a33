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

from SegAnyPETLib.models.device import native_bfloat16
from SegAnyPETLib.models.lite.network import LiteNet, with_more_masks
from SegAnyPETLib.models.lite.prompt_maps import MAPS, PromptBatch, encode, pad_points
from SegAnyPETLib.models.lite.weights import channels_last, load_weights, save_weights
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.training.answers import Answers
from SegAnyPETLib.training.episodes import Episode
from SegAnyPETLib.training.recipe import Recipe
from SegAnyPETLib.training.start_weights import start_file
from SegAnyPETLib.training.windows.sample import Sample
from SegAnyPETLib.volume.atomic import replacing

#: Share of steps that show the mask alone, as for a mask that came from elsewhere.
MASK_ONLY_SHARE = 0.06
#: Share of later steps that show the points without the mask: all of them must count, not only the last one.
MASK_DROPPED_SHARE = 0.2
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
        """Build a new network, or load that of an earlier run.

        Raises:
            InputError: its weights are missing or damaged.
        """
        if not self.recipe.start_from:
            return channels_last(LiteNet(len(MAPS)))
        net, _ = load_weights(start_file(self.recipe.start_from, self.output))
        if net.masks == 1:
            net = with_more_masks(net)
        if self.recipe.heads_only:
            train_heads_only(net)
        return channels_last(net.train())

    def forward(
        self, net: nn.Module, episodes: Sequence[Episode], rng: np.random.Generator, device: torch.device
    ) -> Answers:
        """Show a network some episodes; one point without a mask may mean any of its masks."""
        batch = prompt_batch(episodes, rng, device)
        maps = encode(batch).contiguous(memory_format=torch.channels_last_3d)
        # A CPU that emulates bfloat16 takes 25 times as long as in float32.
        with torch.autocast(device.type, torch.bfloat16, enabled=self.recipe.bf16 and native_bfloat16(device)):
            output = net(maps)
        ambiguous = ((batch.labels >= 0).sum(1) == 1) & ~batch.has_previous
        return Answers(output.logits, output.dice, ambiguous.cpu())

    def save(self, net: nn.Module) -> Path:
        """Write weights and specification to `NAME.safetensors`."""
        path = self.output / f"{self.recipe.name}.safetensors"
        spec = ModelSpec("lite", self.recipe.size, SPACINGS_MM, licence=LICENCE)
        with replacing(path, ".safetensors") as part:
            save_weights(cast(LiteNet, net), spec, part)
        return path


def train_heads_only(net: LiteNet) -> None:
    """Let training change the further masks and the estimate alone; the first mask stays as it is."""
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name.startswith(("head.", "estimate.")))
    for parameter in net.head.parameters():
        parameter.register_hook(_without_first)


def _without_first(gradient: Tensor) -> Tensor:
    """Return the gradient of a layer of several masks without that of the first one."""
    return torch.cat([torch.zeros_like(gradient[:1]), gradient[1:]])


def prompt_batch(episodes: Sequence[Episode], rng: np.random.Generator, device: torch.device) -> PromptBatch:
    """Assemble what Lite is shown of some episodes."""
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
        not_target=torch.from_numpy(np.stack([_not_target(e.sample) for e in episodes])),
    )
    return PromptBatch(**{name: value.to(device) for name, value in vars(batch).items()})


def _shown(episode: Episode, rng: np.random.Generator) -> tuple[NDArray[np.float32] | None, bool]:
    """Return the mask to show, and whether the points are shown beside it."""
    mask = episode.previous
    if mask is None or (episode.points and rng.random() < MASK_DROPPED_SHARE and 1 in episode.labels):
        return None, True
    if rng.random() > SOFT_SHARE:
        mask = (mask > 0.5).astype(np.float32)
    if rng.random() < COARSE_SHARE:
        mask = coarsened(mask, int(rng.integers(2, 4)))
    return mask, rng.random() > MASK_ONLY_SHARE


def _not_target(sample: Sample) -> NDArray[np.float32]:
    """Occupancy of what is known to be something else."""
    known = sample.not_target
    return np.zeros(sample.image.shape, np.float32) if known is None else known.astype(np.float32)


def coarsened(mask: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Return the mask as it comes from a window with voxels ``factor`` times as large."""
    coarse = ndimage.zoom(_blocks(mask, factor), factor, order=1, mode="nearest", grid_mode=True)
    k, j, i = mask.shape
    return (coarse[:k, :j, :i] > 0.5).astype(np.float32)


def _blocks(mask: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Mean over blocks of ``factor`` voxels per side; beyond its end the mask is zero."""
    padded = np.pad(mask, [(0, -n % factor) for n in mask.shape])
    k, j, i = (n // factor for n in padded.shape)
    return padded.reshape(k, factor, j, factor, i, factor).mean((1, 3, 5))
