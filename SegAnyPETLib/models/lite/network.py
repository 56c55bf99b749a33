"""The network of SegAnyPET-Lite: a compact residual U-Net over a PET window and its prompt maps."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

#: Channels of each resolution level; every level halves the resolution of the one before.
CHANNELS = (16, 32, 64, 96, 128)
#: Residual blocks per level of the encoder.
BLOCKS = (1, 1, 2, 2, 2)
#: Channels that one group of a group normalisation shares.
GROUP = 8


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


class LiteNet(nn.Module):
    """Residual U-Net; skip connections are added after a 1x1x1 convolution of the coarser level.

    Args:
        channels_in: maps that `prompt_maps.encode` makes.
        channels: feature channels per level.
        blocks: residual blocks per level.
    """

    def __init__(
        self, channels_in: int, channels: tuple[int, ...] = CHANNELS, blocks: tuple[int, ...] = BLOCKS
    ) -> None:
        super().__init__()
        self.channels, self.blocks = channels, blocks
        levels = list(pairwise(channels))
        self.stem = ConvUnit(channels_in, channels[0])
        self.encoder = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(c) for _ in range(n))) for c, n in zip(channels, blocks, strict=True)
        )
        self.down = nn.ModuleList(ConvUnit(fine, coarse, stride=2) for fine, coarse in levels)
        self.up = nn.ModuleList(nn.Conv3d(coarse, fine, 1) for fine, coarse in levels)
        self.decoder = nn.ModuleList(ConvUnit(fine, fine) for fine, _ in levels)
        self.head = nn.Conv3d(channels[0], 1, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Logits of the target.

        Args:
            maps: (B, channels_in, K, J, I); K, J and I are multiples of 16.

        Returns:
            (B, K, J, I) logits.
        """
        x = self.stem(maps)
        skips = []
        for encode, down in zip(self.encoder[:-1], self.down, strict=True):
            x = encode(x)
            skips.append(x)
            x = down(x)
        x = self.encoder[-1](x)
        for up, decode, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips), strict=True):
            x = decode(F.interpolate(up(x), scale_factor=2.0, mode="nearest") + skip)
        return self.head(x)[:, 0]
