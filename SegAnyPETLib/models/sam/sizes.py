"""Derive the sizes of a network from the shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping

from SegAnyPETLib.models.sam.config import SamConfig

Shapes = Mapping[str, tuple[int, ...]]

#: Networks of the family are smaller; a damaged shape may exceed these.
MAX_TOKENS = 64
MAX_PATCH = 64
MAX_WIDTH = 4096
MAX_DEPTH = 64
#: The decoder's 8 heads halve this width in cross attention.
MIN_PROMPT_WIDTH = 16
#: Masks pass through a quarter of these channels.
MIN_MASK_CHANNELS = 4

_ENCODER = "image_encoder"
_PROMPTS = "prompt_encoder"


def sizes_of(shapes: Shapes) -> SamConfig:
    """Return the sizes that give a network these shapes, as far as the examined ones determine them.

    Args:
        shapes: of the tensors of a checkpoint, by name.

    Raises:
        KeyError: a tensor that determines a size is missing.
        ValueError: the shapes contradict one another, or no network of the family has them.
    """
    _, grid, _, _, width = _ranks(shapes[f"{_ENCODER}.pos_embed"], 5)
    patch = _ranks(shapes[f"{_ENCODER}.patch_embed.proj.weight"], 5)[-1]
    tables = [_ranks(shapes[f"{_ENCODER}.blocks.{n}.attn.rel_pos_d"], 2) for n in range(_depth(shapes))]
    prompt_width = _ranks(shapes[f"{_ENCODER}.neck.0.weight"], 5)[0]
    mask_channels = _ranks(shapes[f"{_PROMPTS}.mask_downscaling.3.weight"], 5)[0]
    bounds = (
        (1, grid, MAX_TOKENS),
        (1, patch, MAX_PATCH),
        (1, width, MAX_WIDTH),
        (MIN_PROMPT_WIDTH, prompt_width, MAX_WIDTH),
        (MIN_MASK_CHANNELS, mask_channels, MAX_WIDTH),
    )
    if not all(least <= size <= most for least, size, most in bounds):
        raise ValueError("sizes of no network")
    return SamConfig(
        size=grid * patch,
        patch=patch,
        width=width,
        depth=len(tables),
        heads=_heads(width, tables),
        global_blocks=tuple(n for n, table in enumerate(tables) if table[0] == 2 * grid - 1),
        window=_window(grid, tables),
        prompt_width=prompt_width,
        mask_channels=mask_channels,
        boxes=f"{_PROMPTS}.point_embeddings.2.weight" in shapes,
    )


def _ranks(shape: tuple[int, ...], rank: int) -> tuple[int, ...]:
    if len(shape) != rank:
        raise ValueError(f"a shape of {len(shape)} dimensions instead of {rank}")
    return shape


def _depth(shapes: Shapes) -> int:
    """Return the number of blocks, which are numbered from 0 without a gap."""
    pattern = re.compile(rf"{_ENCODER}\.blocks\.(\d{{1,4}})\.norm1\.weight")
    found = {int(match[1]) for match in map(pattern.fullmatch, shapes) if match}
    if not 1 <= len(found) <= MAX_DEPTH or found != set(range(len(found))):
        raise ValueError("blocks of no network")
    return len(found)


def _heads(width: int, tables: list[tuple[int, ...]]) -> int:
    """Return the number of heads; the position tables are as wide as a head."""
    (head,) = {table[1] for table in tables}
    if not head or width % head:
        raise ValueError("heads of no network")
    return width // head


def _window(grid: int, tables: list[tuple[int, ...]]) -> int:
    """Return the tokens per side of a window; a position table has 2 w - 1 rows for a window of w tokens."""
    rows = {table[0] for table in tables} - {2 * grid - 1}
    if len(rows) > 1:
        raise ValueError("windows of several sizes")
    window = (rows.pop() + 1) / 2 if rows else grid
    if window != int(window) or not 1 <= window <= MAX_TOKENS:
        raise ValueError("a window of no network")
    return int(window)
