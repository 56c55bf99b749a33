"""Attention of the image encoder, with the padding of its windows folded into one key.

Two things in it are not what a textbook has, and the published weights have learned around both.

**The relative-position bias as executed.** For a query at (a, b, c) and a key at (d, e, f), with the rows
R[i, j] = table[i - j + w - 1] of the three tables,

    bias = q[a,b,c] . Rd[a,f]  +  q[a,b,d] . Rh[b,f]  +  q[a,b,e] . Rw[e,f]

so the second and third terms take the queries of other tokens, and every table is indexed by the key's last axis. q is
unscaled and includes its bias; if (a, b, d) or (a, b, e) is padding, q is only the query bias.

**Padding that takes part.** Windows of 14 tokens per side over a grid of 8 are filled up with zeros after the norm, and
these tokens take part in the softmax as keys: k and v are the biases of their projections. Of 14^3 = 2744 keys 2232 are
padding, which the published code computes one by one. Here they cost one key:

- the key bias adds the same number to every logit of a query and cancels in the softmax; the value bias passes through
  it, since its weights sum to one, and goes into the projection's bias. So padding is a zero key with a zero value;
- only the first term of the bias depends on c, so the summed weight of all padding is that of a single key whose logit
  is L = LSE_f( q[a,b,c] . Rd[a,f] + G[a,b,f] ). With beta(d) and gamma(e) the second and third term, and T, A, B their
  log-sum-exps over all, real and padded positions, G = T_d + T_e if f is padding, and
  G = logaddexp(B_d + T_e, A_d + B_e) if f is real: the positions (d, e) that are not both real. Only positive
  numbers are added, nothing cancels;
- padded queries are never read, and never computed.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from SegAnyPETLib.models.sam.layers import MatrixLinear

#: Keys are padded to a multiple of this, which keeps the rows of the bias aligned in memory.
ROW = 8
#: Logit of a sum over no position at all; an infinite one would make gradients undefined.
NOTHING = -1e30

Extent = tuple[int, int, int]


class FoldedAttention(nn.Module):
    """Self-attention over windows of tokens; parameters are those of the published `Attention`.

    Args:
        width: channels.
        heads: attention heads.
        window: tokens per side of a window, or of the grid for a global block.
    """

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.scale = (width // heads) ** -0.5
        self.qkv = MatrixLinear(width, 3 * width)
        self.proj = MatrixLinear(width, width)
        rows = 2 * window - 1
        self.rel_pos_d = nn.Parameter(torch.zeros(rows, width // heads))
        self.rel_pos_h = nn.Parameter(torch.zeros(rows, width // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(rows, width // heads))

    def forward(self, x: Tensor) -> Tensor:
        """Attend within windows.

        Args:
            x: (B, D, H, W, C) tokens.

        Returns:
            (B, D, H, W, C).
        """
        batch, *grid, width = x.shape
        query_bias, _, value_bias = self.qkv.bias.chunk(3)
        nothing = torch.zeros_like(query_bias)
        bias = torch.cat([query_bias, nothing, nothing])
        qkv = F.linear(x.to(self.qkv.weight.dtype), self.qkv.weight, bias)
        qkv = qkv.view(batch, *grid, 3, self.heads, width // self.heads)
        attended = self._attend(qkv) if max(grid) <= self.window else self._in_windows(qkv)
        folded = self.proj.bias + self.proj.weight @ value_bias
        return F.linear(attended.reshape(batch, *grid, width), self.proj.weight, folded)

    def _in_windows(self, qkv: Tensor) -> Tensor:
        """Attend in windows of several sizes: those at the high end of the grid have fewer real tokens."""
        w = self.window
        parts = [
            [torch.cat([self._attend(strip) for strip in row.split(w, 3)], 3) for row in plane.split(w, 2)]
            for plane in qkv.split(w, 1)
        ]
        return torch.cat([torch.cat(plane, 2) for plane in parts], 1)

    def _attend(self, qkv: Tensor) -> Tensor:
        """Attend in one window per batch entry: (B, d, h, w, 3, heads, c) of real tokens to (B, d, h, w, heads, c)."""
        nd, nh, nw = qkv.shape[1:4]
        extent: Extent = (nd, nh, nw)
        q, k, v = qkv.flatten(1, 3).permute(2, 0, 3, 1, 4)  # (B, heads, tokens, c) each
        bias = self._bias(q.unflatten(2, extent), extent)
        filler = bias.shape[-1] - k.shape[-2]
        if filler:
            k, v = F.pad(k, (0, 0, 0, filler)), F.pad(v, (0, 0, 0, filler))
        out = F.scaled_dot_product_attention(q.contiguous(), k.contiguous(), v.contiguous(), bias, scale=self.scale)
        return out.transpose(1, 2).unflatten(1, extent)

    def _bias(self, q: Tensor, extent: Extent) -> Tensor:
        """Return what is added to the logits of the real keys, of the one for padding, and of fillers.

        Args:
            q: (B, heads, d, h, w, c) queries of the real tokens.
            extent: number of real tokens along each axis.

        Returns:
            (B, heads, tokens, keys).
        """
        nd, nh, nw = extent
        w, tokens = self.window, math.prod(extent)
        padded = extent != (w, w, w)
        steps = torch.arange(w, device=q.device)
        rows = steps[:, None] - steps + w - 1
        along_d, along_h, along_w = (t[rows].to(q.dtype) for t in (self.rel_pos_d, self.rel_pos_h, self.rel_pos_w))
        own = torch.einsum("nhabcx,afx->nhabcf", q, along_d[:nd])
        every = self._with_padding(q) if nw < w else q  # queries at every last index, real or not
        beta = torch.einsum("nhabdx,bfx->nhabdf", every, along_h[:nh])
        gamma = torch.einsum("nhabex,efx->nhabef", every, along_w)
        others = beta[..., :nd, None, :nw] + gamma[..., None, :nh, :nw]  # (B, heads, a, b, d, e, f), the same for all c
        keys = tokens + (ROW - tokens % ROW if padded else 0)
        bias = q.new_empty(*q.shape[:2], tokens, keys)
        inner = bias[..., :tokens].unflatten(-2, extent).unflatten(-1, extent)
        inner.copy_(others.unsqueeze(4) + own[..., None, None, :nw])
        if padded:
            bias[..., tokens] = self._padding_logit(own, beta, gamma, extent).flatten(2)
            bias[..., tokens + 1 :] = -math.inf
        return bias

    def _with_padding(self, q: Tensor) -> Tensor:
        """Return the queries of all last indices of a window; those of padding are the query bias."""
        batch, heads, nd, nh, nw, c = q.shape
        bias = self.qkv.bias[: heads * c].view(heads, 1, 1, 1, c).to(q.dtype)
        return torch.cat([q, bias.expand(batch, heads, nd, nh, self.window - nw, c)], -2)

    def _padding_logit(self, own: Tensor, beta: Tensor, gamma: Tensor, extent: Extent) -> Tensor:
        """Return L of the module's description, (B, heads, a, b, c), in float32 at least."""
        nd, nh, nw = extent
        own, beta, gamma = (t if t.dtype == torch.float64 else t.float() for t in (own, beta, gamma))
        all_d, all_e = beta.logsumexp(-2), gamma.logsumexp(-2)
        missing = torch.logaddexp(
            _log_sum(beta[..., nd:, :]) + all_e, _log_sum(beta[..., :nd, :]) + _log_sum(gamma[..., nh:, :])
        )
        total = torch.cat([missing[..., :nw], (all_d + all_e)[..., nw:]], -1)
        return (own + total.unsqueeze(-2)).logsumexp(-1)


def _log_sum(values: Tensor) -> Tensor:
    """Return the log-sum-exp over the last axis but one, which may be empty."""
    if values.shape[-2]:
        return values.logsumexp(-2)
    return torch.full_like(values.sum(-2), NOTHING)
