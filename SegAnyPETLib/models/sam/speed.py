"""Speed of the image encoder, compared with its published form and with the machine's peak."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from SegAnyPETLib.models.sam.image_encoder import Block
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.models.sam.plain_attention import plain_attention

#: Side of the square matrices whose product is the machine's ceiling.
CEILING_SIDE = 2048


@dataclass(frozen=True)
class EncoderSpeed:
    """One run, in which both forms and the machine's peak were measured alternately.

    Attributes:
        folded_s: seconds per window, median.
        plain_s: the same with the padding computed token by token, as published.
        gflop: arithmetic of the folded form, 1e9 operations.
        ceiling_gflops: arithmetic per second, in 1e9 operations, of the fastest large product of float32 matrices.
    """

    folded_s: float
    plain_s: float
    gflop: float
    ceiling_gflops: float

    @property
    def ratio(self) -> float:
        """Speed-up of the folded form."""
        return self.plain_s / self.folded_s

    @property
    def share_of_ceiling(self) -> float:
        """Share of the machine's peak arithmetic that the folded form reaches."""
        return self.gflop / self.folded_s / self.ceiling_gflops


@torch.inference_mode()
def encoder_speed(net: SamNet, device: torch.device, repeats: int = 3) -> EncoderSpeed:
    """Measure an encoder in float32."""
    image = torch.randn(1, 1, *(net.config.size,) * 3, device=device)
    matrix = torch.randn(CEILING_SIDE, CEILING_SIDE, device=device)
    with FlopCounterMode(display=False) as counter:
        net.image_encoder(image)
    folded, plain, ceiling = [], [], []
    for _ in range(repeats):
        ceiling.append(_seconds(lambda: matrix @ matrix, device))
        folded.append(_seconds(lambda: net.image_encoder(image), device))
        plain.append(_seconds(lambda: plain_encoder(net, image), device))
    return EncoderSpeed(
        statistics.median(folded),
        statistics.median(plain),
        counter.get_total_flops() / 1e9,
        2 * CEILING_SIDE**3 / 1e9 / min(ceiling),
    )


def plain_encoder(net: SamNet, image: Tensor) -> Tensor:
    """Compute the embedding as `ImageEncoder` does, with plain attention in its blocks."""
    encoder = net.image_encoder
    x = encoder.patch_embed(image) + encoder.pos_embed
    for block in cast(Iterable[Block], encoder.blocks):
        x = x + plain_attention(block.attn, block.norm1(x))
        x = x + block.mlp(block.norm2(x))
    return encoder.neck(x.movedim(-1, 1))


def _seconds(work: Callable[[], Tensor], device: torch.device) -> float:
    """Return the seconds of one call, including asynchronous work of the device."""
    begin = time.perf_counter()
    work()
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter() - begin
