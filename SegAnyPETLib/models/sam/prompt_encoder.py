"""Prompt encoder: embeddings of points and masks."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.models.sam.layers import ChannelNorm


class RandomFourier(nn.Module):
    """Positions in the unit cube as sines and cosines of random frequencies, which are saved with the weights."""

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(3, width // 3))

    def forward(self, position: Tensor) -> Tensor:
        """(..., 3) in 0 to 1 to (..., width); the sine stands twice, at both ends."""
        phase = 2 * math.pi * ((2 * position - 1) @ self.positional_encoding_gaussian_matrix)
        sine = phase.sin()
        return torch.cat([sine, phase.cos(), sine], -1)


class PromptEncoder(nn.Module):
    """Sparse embeddings of points and dense embeddings of masks."""

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        width, m = config.prompt_width, config.mask_channels
        self.size, self.grid, self.mask_size = config.size, config.grid, config.mask_size
        self.pe_layer = RandomFourier(width)
        # Negative, positive; the corners of boxes if the weights have them.
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, width) for _ in range(4 if config.boxes else 2))
        self.not_a_point_embed = nn.Embedding(1, width)
        self.mask_downscaling = nn.Sequential(
            nn.Conv3d(1, m // 4, 2, 2),
            ChannelNorm(m // 4),
            nn.GELU(),
            nn.Conv3d(m // 4, m, 2, 2),
            ChannelNorm(m),
            nn.GELU(),
            nn.Conv3d(m, width, 1),
        )
        self.no_mask_embed = nn.Embedding(1, width)

    def grid_encoding(self) -> Tensor:
        """Return the positional encoding of the image's tokens, (1, width, G, G, G).

        The first coordinate runs along dimension 1 and the second along dimension 0, unlike those of points; the
        weights have learned it so.
        """
        steps = (torch.arange(self.grid, device=self._device, dtype=self._dtype) + 0.5) / self.grid
        a, b, c = torch.meshgrid(steps, steps, steps, indexing="ij")
        return self.pe_layer(torch.stack([b, a, c], -1)).movedim(-1, 0)[None]

    def sparse(self, points: Tensor, labels: Tensor) -> Tensor:
        """Embed points.

        Args:
            points: (B, N, 3) voxel indices in the window, along its dimensions in order.
            labels: (B, N): 1 positive, 0 negative, -1 not a point.

        Returns:
            (B, N + 1, width): a "not a point" always follows the points; but (B, 0, width) without any.
        """
        batch, count = labels.shape
        if not count:
            return points.new_zeros(batch, 0, self.not_a_point_embed.weight.shape[1])
        points = torch.cat([points, points.new_zeros(batch, 1, 3)], 1)
        labels = torch.cat([labels, labels.new_full((batch, 1), -1)], 1)[..., None]
        position = self.pe_layer((points + 0.5) / self.size)
        negative, positive = (cast(nn.Embedding, self.point_embeddings[n]).weight for n in (0, 1))
        kind = torch.where(labels == 1, positive, negative)
        return torch.where(labels == -1, self.not_a_point_embed.weight, position + kind)

    def dense(self, mask_logits: Tensor | None) -> Tensor:
        """Embed masks.

        Args:
            mask_logits: (B, 1, M, M, M) low-resolution logits. The published models were shown zeros at the first
                click. None gives the embedding for "no mask", which they hardly know.

        Returns:
            (B, width, G, G, G).
        """
        if mask_logits is None:
            return self.no_mask_embed.weight.view(1, -1, 1, 1, 1).expand(-1, -1, *(self.grid,) * 3)
        return self.mask_downscaling(mask_logits)

    @property
    def _device(self) -> torch.device:
        return self.no_mask_embed.weight.device

    @property
    def _dtype(self) -> torch.dtype:
        return self.no_mask_embed.weight.dtype
