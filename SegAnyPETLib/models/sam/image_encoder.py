"""The image encoder: a vision transformer over cubes of voxels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.models.sam.folded_attention import FoldedAttention
from SegAnyPETLib.models.sam.layers import ChannelNorm, MatrixLinear, Mlp

#: Of the encoder's norms; the decoder's have PyTorch's default of 1e-5.
NORM_EPS = 1e-6


class PatchEmbedding(nn.Module):
    """Turn each cube of voxels into a token, as a convolution does whose stride is its kernel."""

    def __init__(self, patch: int, width: int) -> None:
        super().__init__()
        self.patch = patch
        self.proj = nn.Conv3d(1, width, patch, patch)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, S, S, S) to (B, G, G, G, width)."""
        batch, p = len(image), self.patch
        g = image.shape[-1] // p
        # A matrix product over reordered voxels is the same and, on a CPU, several times faster.
        cubes = image.reshape(batch, g, p, g, p, g, p).permute(0, 1, 3, 5, 2, 4, 6).reshape(batch, g, g, g, p**3)
        weight = self.proj.weight.flatten(1)
        return F.linear(cubes.to(weight.dtype), weight, self.proj.bias)


class Block(nn.Module):
    """Attention and MLP around a residual stream."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=NORM_EPS)
        self.attn = FoldedAttention(width, heads, window)
        self.norm2 = nn.LayerNorm(width, eps=NORM_EPS)
        self.mlp = Mlp(width, 4 * width, nn.GELU)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ImageEncoder(nn.Module):
    """Image encoder: window to embedding."""

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        g, width, out = config.grid, config.width, config.prompt_width
        self.patch_embed = PatchEmbedding(config.patch, width)
        self.pos_embed = nn.Parameter(torch.zeros(1, g, g, g, width))
        self.blocks = nn.ModuleList(
            Block(width, config.heads, g if n in config.global_blocks else config.window) for n in range(config.depth)
        )
        self.neck = nn.Sequential(
            nn.Conv3d(width, out, 1, bias=False),
            ChannelNorm(out),
            nn.Conv3d(out, out, 3, padding=1, bias=False),
            ChannelNorm(out),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Embed windows.

        Args:
            image: (B, 1, S, S, S) normalised voxels; axes right, anterior, superior.

        Returns:
            (B, prompt_width, G, G, G), in the precision of the norms.
        """
        x = self.patch_embed(image) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.neck(x.movedim(-1, 1))

    def cast_matrices(self, dtype: torch.dtype) -> None:
        """Store and compute the matrix products of all blocks in another precision; everything else stays."""
        for module in self.modules():
            if isinstance(module, MatrixLinear):
                module.to(dtype)
