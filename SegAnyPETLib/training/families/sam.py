"""How a network of the SAM-Med3D family is trained.

As the published models were, as far as is known of them: zeros as the mask prompt of a first click, later the
network's own low-resolution logits and all points so far, some steps without points; Dice and cross-entropy on logits
that are interpolated to the window. The head that predicts the IoU takes no part, as in the published training; nothing
reads it. The image is embedded at every step, since the encoder learns too.

Masks that come from elsewhere, edited or foreign, are shown as `mask_prompt` makes them, faultless ones among them, so
that the network knows in training what a session shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.sam.checkpoint import load_checkpoint, save_checkpoint
from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.models.sam.inputs import mask_prompt, normalised, window_logits
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.training.answers import Answers
from SegAnyPETLib.training.episodes import Episode
from SegAnyPETLib.training.recipe import CHECKPOINTS, Recipe
from SegAnyPETLib.training.start_weights import start_file

#: Share of steps that show the faultless mask alone.
TRUE_MASK_SHARE = 0.12
#: What the other later steps show, with their shares: the last logits and the points as in a session; the last mask as
#: if it had been edited, and the points; the last logits alone; the last mask alone; the points alone.
LATER_SHARES = {"memory": 0.68, "edited": 0.12, "memory alone": 0.06, "mask alone": 0.06, "points alone": 0.08}


class PromptedSam(nn.Module):
    """A network with its whole way from windows and prompts to logits, so that it can be wrapped for many processes.

    Args:
        net: the network.
        bf16: whether the image encoder computes in bfloat16 under autocast. Prompts and decoder stay in float32: they
            cost little, and positions would be rounded to parts of a voxel.
    """

    def __init__(self, net: SamNet, bf16: bool) -> None:
        super().__init__()
        self.net, self.bf16 = net, bf16

    def forward(
        self, windows: Tensor, owners: Tensor, points: list[Tensor], labels: list[Tensor], masks: Tensor
    ) -> Tensor:
        """Segment targets in windows.

        Args:
            windows: (W, K, J, I) uptake.
            owners: (B,) the window of each target.
            points: per target (N, 3) voxel indices in the network's axes; N may differ.
            labels: per target (N,).
            masks: (B, 1, M, M, M) mask prompts.

        Returns:
            Low-resolution logits (B, 1, M, M, M).
        """
        with torch.autocast(windows.device.type, torch.bfloat16, enabled=self.bf16):
            embeddings = self.net.image_encoder(normalised(windows))
        embeddings = embeddings.float()[owners]
        counts = [len(one) for one in labels]
        order: list[int] = []
        answers = []
        # Targets with equally many points are one batch; filling points up would change what the network sees.
        for count in sorted(set(counts)):
            chosen = [n for n, c in enumerate(counts) if c == count]
            low_logits, _ = self.net.decode(
                embeddings[chosen],
                torch.stack([points[n] for n in chosen]),
                torch.stack([labels[n] for n in chosen]),
                masks[chosen],
            )
            order += chosen
            answers.append(low_logits)
        return torch.cat(answers)[torch.tensor(order, device=windows.device).argsort()]


class SamTrainee:
    """The raw logits that the network answered are its memory of a target.

    Args:
        recipe: of the run.
        output: its folder, which may hold the earlier run that it starts from.
    """

    def __init__(self, recipe: Recipe, output: Path) -> None:
        assert recipe.sam is not None
        self.recipe, self.output, self.config = recipe, output, recipe.sam

    def network(self) -> PromptedSam:
        """Build a new network, or load one from a checkpoint.

        Raises:
            InputError: the checkpoint is missing, damaged or of other sizes than the recipe's.
        """
        return PromptedSam(self._net(), self.recipe.bf16)

    def forward(
        self, net: nn.Module, episodes: Sequence[Episode], rng: np.random.Generator, device: torch.device
    ) -> Answers:
        """Show a network some episodes; those of one window share its embedding."""
        masks, counts = zip(*(self._shown(e, rng) for e in episodes), strict=True)
        windows = list({id(e.sample.image): e.sample.image for e in episodes}.values())
        places = {id(image): n for n, image in enumerate(windows)}
        low_logits = net(
            torch.from_numpy(np.stack(windows)).to(device),
            torch.tensor([places[id(e.sample.image)] for e in episodes], device=device),
            [_points(e, count).to(device) for e, count in zip(episodes, counts, strict=True)],
            [torch.tensor(e.labels[:count], device=device).long() for e, count in zip(episodes, counts, strict=True)],
            torch.cat(masks).to(device),
        )
        one_mask = torch.zeros(len(episodes), dtype=torch.bool)
        return Answers(window_logits(low_logits, self.config.size)[:, None], None, one_mask, low_logits[:, 0])

    def save(self, net: nn.Module) -> Path:
        """Write the weights to `NAME.safetensors`, in the published layout, with the voxel size of their windows."""
        path = self.output / f"{self.recipe.name}.safetensors"
        save_checkpoint(cast(PromptedSam, net).net, path, self.recipe.window_spacing_mm)
        return path

    def _net(self) -> SamNet:
        start = self.recipe.start_from
        if not start:
            return SamNet(self.config)
        path = Path(start) if start.endswith(CHECKPOINTS) else start_file(start, self.output)
        net, _ = load_checkpoint(path)
        differing = _differences(net.config, self.config)
        if differing:
            raise InputError(
                f"{path.name} has another {', '.join(differing)} than the recipe; correct the recipe's sam"
            )
        return net.train()

    def _shown(self, episode: Episode, rng: np.random.Generator) -> tuple[Tensor, int]:
        """Return the mask prompt (1, 1, M, M, M) to show, and how many of the points."""
        every = len(episode.points)
        if not episode.sample.low_quality and rng.random() < TRUE_MASK_SHARE:
            return self._mask(episode.sample.target), 0
        if episode.previous is None:
            return self._nothing(), every
        mask = self._mask(episode.previous > 0.5)
        if episode.previous_logits is None:
            return mask, every
        previous_logits = torch.from_numpy(episode.previous_logits)[None, None]
        ways = {
            "memory": (previous_logits, every),
            "edited": (mask, every),
            "memory alone": (previous_logits, 0),
            "mask alone": (mask, 0),
            "points alone": (self._nothing(), every),
        }
        return ways[str(rng.choice(list(LATER_SHARES), p=list(LATER_SHARES.values())))]

    def _mask(self, mask_kji: NDArray[np.bool_]) -> Tensor:
        return mask_prompt(torch.from_numpy(mask_kji)[None], self.config.mask_size)

    def _nothing(self) -> Tensor:
        return torch.zeros(1, 1, *(self.config.mask_size,) * 3)


def _points(episode: Episode, count: int) -> Tensor:
    """Return the first points as (N, 3) float32 in the network's axes."""
    return torch.tensor(episode.points[:count], dtype=torch.float32).reshape(-1, 3).flip(-1)


def _differences(one: SamConfig, other: SamConfig) -> list[str]:
    """Names of the sizes that differ; embeddings of boxes are no size."""
    mine, theirs = asdict(one), asdict(other)
    return [name for name in mine if name != "boxes" and mine[name] != theirs[name]]
