"""Mask decoder: attention between prompts and image, then masks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.models.sam.layers import ChannelNorm, Head, MatrixLinear, Mlp

#: Of the two-way transformer; all published weights share them.
DEPTH = 2
HEADS = 8
MLP_WIDTH = 2048
#: Token 0 is for a single mask, tokens 1 to 3 are for multimask output.
MASK_TOKENS = 4
#: Hidden channels of the head that predicts the IoU of each mask.
IOU_WIDTH = 256


class CrossAttention(nn.Module):
    """Attention with separate projections; `shrink` lowers its inner width."""

    def __init__(self, width: int, shrink: int = 1) -> None:
        super().__init__()
        inner = width // shrink
        self.q_proj = MatrixLinear(width, inner)
        self.k_proj = MatrixLinear(width, inner)
        self.v_proj = MatrixLinear(width, inner)
        self.out_proj = MatrixLinear(inner, width)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """(B, queries, width) from (B, queries, width), (B, keys, width) and (B, keys, width)."""
        projected = ((self.q_proj, q), (self.k_proj, k), (self.v_proj, v))
        split = (proj(x).unflatten(-1, (HEADS, -1)).transpose(1, 2) for proj, x in projected)
        return self.out_proj(F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2))


class TwoWayBlock(nn.Module):
    """Attend from prompt tokens to one another and to the image, then from the image to them."""

    def __init__(self, width: int, first: bool) -> None:
        super().__init__()
        self.first = first
        self.self_attn = CrossAttention(width)
        self.norm1 = nn.LayerNorm(width)
        self.cross_attn_token_to_image = CrossAttention(width, shrink=2)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, MLP_WIDTH, nn.ReLU)
        self.norm3 = nn.LayerNorm(width)
        self.norm4 = nn.LayerNorm(width)
        self.cross_attn_image_to_token = CrossAttention(width, shrink=2)

    def forward(self, tokens: Tensor, image: Tensor, tokens_pe: Tensor, image_pe: Tensor) -> tuple[Tensor, Tensor]:
        if self.first:  # here the tokens are their own encoding; the published block replaces instead of adding
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            placed = tokens + tokens_pe
            tokens = tokens + self.self_attn(placed, placed, tokens)
        tokens = self.norm1(tokens)
        placed_image = image + image_pe
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + tokens_pe, placed_image, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        image = self.norm4(image + self.cross_attn_image_to_token(placed_image, tokens + tokens_pe, tokens))
        return tokens, image


class TwoWayTransformer(nn.Module):
    """Two-way blocks, and a last attention of the tokens to the image."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TwoWayBlock(width, first=n == 0) for n in range(DEPTH))
        self.final_attn_token_to_image = CrossAttention(width, shrink=2)
        self.norm_final_attn = nn.LayerNorm(width)

    def forward(self, image: Tensor, image_pe: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens (B, N, width) and image (B, voxels, width) after two-way attention."""
        tokens_pe = tokens
        for layer in self.layers:
            tokens, image = layer(tokens, image, tokens_pe, image_pe)
        looked = self.final_attn_token_to_image(tokens + tokens_pe, image + image_pe, image)
        return self.norm_final_attn(tokens + looked), image


class MaskDecoder(nn.Module):
    """Decode embeddings to low-resolution logits and predicted IoU."""

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        width = config.prompt_width
        self.transformer = TwoWayTransformer(width)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(MASK_TOKENS, width)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose3d(width, width // 4, 2, 2),
            ChannelNorm(width // 4),
            nn.GELU(),
            nn.ConvTranspose3d(width // 4, width // 8, 2, 2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(
            Head((width, width, width, width // 8)) for _ in range(MASK_TOKENS)
        )
        self.iou_prediction_head = Head((width, IOU_WIDTH, IOU_WIDTH, MASK_TOKENS))

    def forward(
        self, embedding: Tensor, grid_encoding: Tensor, sparse: Tensor, dense: Tensor, multimask: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Decode the masks of a batch of targets.

        Args:
            embedding: (B, width, G, G, G) of each target's window, or (1, ...) where all targets share one.
            grid_encoding: (1, width, G, G, G).
            sparse: (B, N, width) embeddings of points.
            dense: (B, width, G, G, G) embeddings of masks, or (1, ...).
            multimask: give the three masks of tokens 1 to 3 instead of the one of token 0.

        Returns:
            Logits (B, masks, M, M, M) with M = 4 G, and predicted IoU (B, masks), which no sigmoid bounds.
        """
        batch = len(sparse)
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([own.expand(batch, -1, -1), sparse], 1)
        image = (embedding + dense).expand(batch, -1, -1, -1, -1)
        grid = image.shape[2:]
        tokens, image = self.transformer(
            image.flatten(2).transpose(1, 2), grid_encoding.flatten(2).transpose(1, 2), tokens
        )
        tokens_used = slice(1, MASK_TOKENS) if multimask else slice(0, 1)
        fine = self.output_upscaling(image.transpose(1, 2).unflatten(2, grid))
        mask_tokens = tokens[:, 1 : 1 + MASK_TOKENS][:, tokens_used].unbind(1)
        kernels = [
            mlp(token) for mlp, token in zip(self.output_hypernetworks_mlps[tokens_used], mask_tokens, strict=True)
        ]
        logits = (torch.stack(kernels, 1) @ fine.flatten(2)).unflatten(2, fine.shape[2:])
        return logits, self.iou_prediction_head(tokens[:, 0])[:, tokens_used]
