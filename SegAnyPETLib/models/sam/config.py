"""Sizes of a network of the SAM-Med3D family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class SamConfig:
    """Sizes of a network; the defaults are those of the published weights (`vit_b_ori`).

    Attributes:
        size: voxels per side of its window.
        patch: voxels per side of a token.
        width: channels of the image encoder.
        depth: its blocks.
        heads: its attention heads.
        global_blocks: indices of blocks whose attention sees every token; the others see windows.
        window: tokens per side of an attention window.
        prompt_width: channels of embeddings and of the mask decoder.
        mask_channels: channels that mask prompts pass through.
        boxes: whether the weights carry the two corner embeddings of box prompts; they are loaded and not used.
    """

    # For pydantic, which reads recipes: unknown settings are refused.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    size: int = 128
    patch: int = 16
    width: int = 768
    depth: int = 12
    heads: int = 12
    global_blocks: tuple[int, ...] = (2, 5, 8, 11)
    window: int = 14
    prompt_width: int = 384
    mask_channels: int = 16
    boxes: bool = False

    @property
    def grid(self) -> int:
        """Tokens per side of the window."""
        return self.size // self.patch

    @property
    def mask_size(self) -> int:
        """Voxels per side of low-resolution logits and of mask prompts."""
        return 4 * self.grid


PUBLISHED = SamConfig()
