"""The whole network of the SAM-Med3D family, which SegAnyPET's published weights run in.

Written from the architecture's description: Kirillov et al. 2023 (arXiv 2304.02643), Wang et al. 2023 (SAM-Med3D,
arXiv 2310.15161), Zhang et al. 2025 (SegAnyPET, arXiv 2502.14351). Parameter names are those of published checkpoints.
"""

from __future__ import annotations

from torch import Tensor, nn

from SegAnyPETLib.models.sam.config import PUBLISHED, SamConfig
from SegAnyPETLib.models.sam.image_encoder import ImageEncoder
from SegAnyPETLib.models.sam.mask_decoder import MaskDecoder
from SegAnyPETLib.models.sam.prompt_encoder import PromptEncoder


class SamNet(nn.Module):
    """Image encoder, prompt encoder and mask decoder."""

    def __init__(self, config: SamConfig = PUBLISHED) -> None:
        super().__init__()
        self.config = config
        self.image_encoder = ImageEncoder(config)
        self.prompt_encoder = PromptEncoder(config)
        self.mask_decoder = MaskDecoder(config)

    def decode(
        self, embedding: Tensor, points: Tensor, labels: Tensor, mask_logits: Tensor | None, multimask: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Decode masks of targets in embedded windows.

        Args:
            embedding: (B, prompt_width, G, G, G), or (1, ...) where all targets share one window.
            points: (B, N, 3) voxel indices in the window, along its dimensions in order; N may be 0.
            labels: (B, N): 1 positive, 0 negative, -1 not a point.
            mask_logits: (B, 1, M, M, M) or (1, 1, M, M, M); zeros at a first click. None for the embedding of
                "no mask".
            multimask: give three masks instead of one.

        Returns:
            Low-resolution logits (B, masks, M, M, M) and predicted IoU (B, masks).
        """
        return self.mask_decoder(
            embedding,
            self.prompt_encoder.grid_encoding(),
            self.prompt_encoder.sparse(points, labels),
            self.prompt_encoder.dense(mask_logits),
            multimask,
        )
