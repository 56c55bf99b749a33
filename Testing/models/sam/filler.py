"""Deterministic weights and inputs, so that fixtures need hold answers alone: everything follows from names."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


def generator(name: str) -> np.random.Generator:
    """A source of randomness that depends on a name alone."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.Generator(np.random.PCG64(seed))


def parameter(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Values of the parameter or buffer of this name, of the size that trained ones have."""
    noise = generator(name).standard_normal(shape)
    last = name.rsplit(".", 1)[-1]
    if last == "positional_encoding_gaussian_matrix":
        values = noise
    elif last == "bias":
        values = 0.02 * noise
    elif len(shape) == 1:  # the gain of a norm
        values = 1.0 + 0.02 * noise
    elif "rel_pos_" in name:
        values = 0.15 * noise
    elif "embeddings." in name or name.endswith(("pos_embed", "_embed.weight", "_token.weight", "_tokens.weight")):
        values = 0.5 * noise
    else:
        values = noise / np.sqrt(np.prod(shape[1:]))
    return values.astype(np.float32)


def filled(net: nn.Module) -> nn.Module:
    """A network with deterministic weights, in evaluation mode."""
    state = {k: torch.from_numpy(parameter(k, tuple(v.shape))).to(v.dtype) for k, v in net.state_dict().items()}
    net.load_state_dict(state, strict=True)
    return net.eval()


def image(size: int) -> NDArray[np.float32]:
    """(size, size, size) of about zero mean and unit deviation, different along each axis."""
    a = (np.arange(size) + 0.5) / size
    x, y, z = a[:, None, None], a[None, :, None], a[None, None, :]
    smooth = np.sin(7 * x + 2 * y) + np.cos(5 * y * (1 + z)) + np.sin(11 * z - 3 * x * y)
    coarse = generator("image").standard_normal((size // 4,) * 3)
    return (0.6 * smooth + 0.7 * np.kron(coarse, np.ones((4, 4, 4)))).astype(np.float32)


def mask_prompt(size: int) -> NDArray[np.float32]:
    """(size, size, size) logits: a soft ball off centre and a ripple."""
    a = np.arange(size) / size
    x, y, z = a[:, None, None], a[None, :, None], a[None, None, :]
    radius = np.sqrt((x - 0.4) ** 2 + (y - 0.55) ** 2 + (z - 0.6) ** 2)
    return (20 * (0.28 - radius) + 0.5 * np.sin(40 * x * y + 9 * z)).astype(np.float32)


#: Voxel size of `pet` along i, j, k in mm.
PET_SPACING_MM = (4.07, 4.07, 3.0)


def pet(size: tuple[int, int, int] = (96, 96, 60)) -> NDArray[np.float32]:
    """Voxels (k, j, i) of a synthetic PET of ``size`` voxels along i, j and k."""
    i, j, k = np.meshgrid(
        *[(np.arange(n) - (n - 1) / 2) * s for n, s in zip(size, PET_SPACING_MM, strict=True)], indexing="ij"
    )
    half = [n * s / 2 for n, s in zip(size, PET_SPACING_MM, strict=True)]
    body = ((i / half[0] / 0.8) ** 2 + (j / half[1] / 0.6) ** 2) < 1
    voxels = 0.9 * body
    for x, y, z, radius, uptake in (
        (-0.35, 0.1, -0.2, 34, 6.0),
        (0.3, -0.2, 0.35, 22, 11.0),
        (0.1, 0.25, -0.6, 15, 4.0),
    ):
        squared = (i - x * half[0]) ** 2 + (j - y * half[1]) ** 2 * 1.4 + (k - z * half[2]) ** 2 * 0.8
        voxels = voxels + uptake / (1 + np.exp((np.sqrt(squared) - radius) / 4))
    voxels = voxels + 0.15 * body * generator("pet-noise").standard_normal(size)
    return np.maximum(voxels, 0).astype(np.float32).transpose(2, 1, 0).copy()
