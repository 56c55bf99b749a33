"""The network of SegAnyPET-Lite: a compact residual U-Net over a PET window and its prompt maps.

A click may mean a hot core, a lesion or a conglomerate, so the network answers with several masks and an estimate of
the Dice of each (Kirillov et al. 2023, Segment Anything, arXiv 2304.02643). The first mask is the one answer to a
target of which more is known than one click.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Channels of each resolution level; every level halves the resolution of the one before.
CHANNELS = (16, 32, 64, 96, 128)
#: Residual blocks per level of the encoder.
BLOCKS = (1, 1, 2, 2, 2)
#: Channels that one group of a group normalisation shares.
GROUP = 8
#: Masks that the network answers with.
MASKS = 4
#: Width of the hidden layer of the estimate.
ESTIMATE_WIDTH = 64
#: Voxels that are added to a mask's volume in ratios, so that an empty mask gives no division by zero.
SMOOTH = 1.0


class ConvUnit(nn.Sequential):
    """3x3x3 convolution, group normalisation and leaky ReLU; stride 2 halves the resolution."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv3d(channels_in, channels_out, 3, stride, 1, bias=False),
            nn.GroupNorm(channels_out // GROUP, channels_out),
            nn.LeakyReLU(0.1, inplace=True),
        )


class ResidualBlock(nn.Module):
    """Two convolutions around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvUnit(channels, channels)
        self.second = nn.Conv3d(channels, channels, 3, 1, 1, bias=False)
        self.norm = nn.GroupNorm(channels // GROUP, channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x + self.norm(self.second(self.first(x))), 0.1)


class LiteOutput(NamedTuple):
    """What the network answers.

    Attributes:
        logits: (B, M, K, J, I).
        dice: (B, M) logits of the Dice that the network expects of each mask; None for a network of one mask, which has
            no estimate.
    """

    logits: Tensor
    dice: Tensor | None


class LiteNet(nn.Module):
    """Residual U-Net; skip connections are added after a 1x1x1 convolution of the coarser level.

    Args:
        channels_in: maps that `prompt_maps.encode` makes.
        channels: feature channels per level.
        blocks: residual blocks per level.
        masks: number of masks.
    """

    def __init__(
        self,
        channels_in: int,
        channels: tuple[int, ...] = CHANNELS,
        blocks: tuple[int, ...] = BLOCKS,
        masks: int = MASKS,
    ) -> None:
        super().__init__()
        self.channels_in, self.masks = channels_in, masks
        self.channels, self.blocks = channels, blocks
        levels = list(pairwise(channels))
        self.stem = ConvUnit(channels_in, channels[0])
        self.encoder = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(c) for _ in range(n))) for c, n in zip(channels, blocks, strict=True)
        )
        self.down = nn.ModuleList(ConvUnit(fine, coarse, stride=2) for fine, coarse in levels)
        self.up = nn.ModuleList(nn.Conv3d(coarse, fine, 1) for fine, coarse in levels)
        self.decoder = nn.ModuleList(ConvUnit(fine, fine) for fine, _ in levels)
        self.head = nn.Conv3d(channels[0], masks, 1)
        self.estimate = Estimate(channels[-1] + masks * (channels[0] + MASK_FACTS), masks) if masks > 1 else None

    def forward(self, maps: Tensor) -> LiteOutput:
        """Segment the target.

        Args:
            maps: (B, channels_in, K, J, I); K, J and I are multiples of 16.
        """
        x = self.stem(maps)
        skips = []
        for encode, down in zip(self.encoder[:-1], self.down, strict=True):
            x = encode(x)
            skips.append(x)
            x = down(x)
        x = self.encoder[-1](x)
        deep = x.float().mean((2, 3, 4))
        for up, decode, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips), strict=True):
            x = decode(F.interpolate(up(x), scale_factor=2.0, mode="nearest") + skip)
        logits = self.head(x).float()
        if self.estimate is None:
            return LiteOutput(logits, None)
        # The estimate does not shape the masks: only its own layers and those below learn from it.
        return LiteOutput(logits, self.estimate(torch.cat([deep, *mask_features(logits.detach(), x.float())], 1)))


class Estimate(nn.Sequential):
    """Perceptron from features of the window and of the masks to one logit per mask."""

    def __init__(self, features: int, masks: int) -> None:
        super().__init__(
            OrderedDict(hidden=nn.Linear(features, ESTIMATE_WIDTH), act=nn.ReLU(), out=nn.Linear(ESTIMATE_WIDTH, masks))
        )

    def forward(self, features: Tensor) -> Tensor:
        # A linear layer of a batch of one is not run in bfloat16: the estimate decides between masks that are close.
        with torch.autocast(features.device.type, enabled=False):
            return super().forward(features.float())


#: Numbers that `mask_features` gives of a mask beside its mean features.
MASK_FACTS = 4


def mask_features(logits: Tensor, features: Tensor) -> list[Tensor]:
    """Return what the estimate sees of the masks.

    Args:
        logits: (B, M, K, J, I).
        features: (B, C, K, J, I) that the logits were made of.

    Returns:
        Mean features in each mask, (B, M C), and `MASK_FACTS` per mask, (B, M MASK_FACTS): the share of the window
        that it fills, its certainty, the logarithm of its volume in voxels, and its overlap with the first mask.
    """
    probability = logits.sigmoid().flatten(2)
    volume = probability.sum(2)
    weight = probability / (volume[..., None] + SMOOTH)
    within = torch.einsum("bmv,bcv->bmc", weight, features.flatten(2))
    certainty = (probability * weight).sum(2)
    overlap = (probability * probability[:, :1]).sum(2) / (
        (probability**2).sum(2) + (probability[:, :1] ** 2).sum(2) + SMOOTH
    )
    facts = torch.stack([probability.mean(2), certainty, torch.log1p(volume) / 8, 2 * overlap], 2)
    return [within.flatten(1), facts.flatten(1)]


def with_more_maps(net: LiteNet, channels_in: int) -> LiteNet:
    """Build the same network for more maps, to which it gives no weight yet."""
    return _started_from(LiteNet(channels_in, net.channels, net.blocks, net.masks), net)


def with_more_masks(net: LiteNet, masks: int = MASKS) -> LiteNet:
    """Build a network of several masks that starts from one of a single mask.

    Its first mask is that of the other network. The others begin near it, narrower and wider by turns, so that training
    has something to tell apart; the estimate begins at random.
    """
    wide = _started_from(LiteNet(net.channels_in, net.channels, net.blocks, masks), net)
    steps = torch.tensor([0.0, *((-1.0) ** n * ((n + 1) // 2) for n in range(1, masks))])
    noise = torch.randn(wide.head.weight.shape) * 0.05 * (steps != 0)[:, None, None, None, None]
    state, start = wide.state_dict(), net.state_dict()
    state["head.weight"].copy_(start["head.weight"][:1] + noise)
    state["head.bias"].copy_(start["head.bias"][:1] + steps)
    return wide


def _started_from(new: LiteNet, old: LiteNet) -> LiteNet:
    """Give the new network all of the old one that fits; maps that the old one lacks get no weight."""
    state, start = new.state_dict(), old.state_dict()
    for name, value in start.items():
        if name == "stem.0.weight":
            state[name].zero_()
            state[name][:, : value.shape[1]] = value
        elif state[name].shape == value.shape:
            state[name].copy_(value)
    return new
