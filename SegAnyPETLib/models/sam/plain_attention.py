"""Attention of the encoder as the published code executes it, with every token of padding: slow and simple.

No model runs it. Tests compare the folded form with it, and the benchmark measures how much slower it is.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from SegAnyPETLib.models.sam.folded_attention import FoldedAttention


def plain_attention(attention: FoldedAttention, x: Tensor) -> Tensor:
    """Compute the same as `FoldedAttention.forward`, with its parameters.

    Args:
        attention: gives weights, heads and window.
        x: (B, D, H, W, C) tokens.
    """
    grid, w = x.shape[1:4], attention.window
    padding = [(w - n % w) % w for n in grid]
    x = F.pad(x, (0, 0, 0, padding[2], 0, padding[1], 0, padding[0]))
    out = torch.empty_like(x)
    for d in range(0, x.shape[1], w):
        for h in range(0, x.shape[2], w):
            for v in range(0, x.shape[3], w):
                part = (slice(None), slice(d, d + w), slice(h, h + w), slice(v, v + w))
                out[part] = _window(attention, x[part])
    return out[:, : grid[0], : grid[1], : grid[2]]


def _window(attention: FoldedAttention, x: Tensor) -> Tensor:
    batch, w, heads = len(x), attention.window, attention.heads
    qkv = attention.qkv(x).reshape(batch, w**3, 3, heads, -1).permute(2, 0, 3, 1, 4)
    q, k, v = qkv.reshape(3, batch * heads, w**3, -1)
    logits = (q * attention.scale) @ k.transpose(1, 2)
    steps = torch.arange(w)
    rows = steps[:, None] - steps + w - 1
    along_d, along_h, along_w = attention.rel_pos_d[rows], attention.rel_pos_h[rows], attention.rel_pos_w[rows]
    cube = q.view(-1, w, w, w, q.shape[-1])
    own = torch.einsum("nabcx,afx->nabcf", cube, along_d)
    second = torch.einsum("nabdx,bfx->nabdf", cube, along_h)
    third = torch.einsum("nabex,efx->nabef", cube, along_w)
    logits = logits.view(-1, w, w, w, w, w, w)
    logits = logits + own[:, :, :, :, None, None, :]
    logits = logits + second[:, :, :, None, :, None, :] + third[:, :, :, None, None, :, :]
    out = logits.view(-1, w**3, w**3).softmax(-1) @ v
    return attention.proj(out.view(batch, heads, w, w, w, -1).permute(0, 2, 3, 4, 1, 5).flatten(4))
