"""Convert between our windows and the inputs and outputs of a network of the SAM-Med3D family.

Our arrays are (k, j, i) = (superior, anterior, right); the network's are (right, anterior, superior). Its voxels are
z-normalised over the positive ones, as in the published inference.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

#: Absolute logit of a voxel of a mask prompt that is completely inside or outside of the mask.
MASK_GAIN = 10.0
#: Minimum divisor, for windows of a single value.
MIN_DEVIATION = 1e-6


def normalised(image_kji: Tensor) -> Tensor:
    """Normalise windows for the network.

    Args:
        image_kji: (B, K, J, I) uptake, zero outside the volume.

    Returns:
        (B, 1, I, J, K): mean 0 and unbiased deviation 1 over each window's positive voxels, applied to all of them. A
        window without two positive voxels stays as it is.
    """
    positive = image_kji > 0
    count = positive.sum((1, 2, 3), keepdim=True).clamp(min=2)
    mean = (image_kji * positive).sum((1, 2, 3), keepdim=True, dtype=torch.float64) / count
    squares = ((image_kji - mean) ** 2 * positive).sum((1, 2, 3), keepdim=True)
    deviation = (squares / (count - 1)).sqrt()
    usable = deviation > MIN_DEVIATION
    scaled = torch.where(usable, (image_kji - mean) / deviation.clamp(min=MIN_DEVIATION), image_kji.double())
    return network_axes(scaled.to(image_kji.dtype))[:, None]


def network_axes(array: Tensor) -> Tensor:
    """Turn (..., K, J, I) into (..., I, J, K), and back."""
    return array.transpose(-1, -3)


def mask_prompt(mask_kji: Tensor, mask_size: int) -> Tensor:
    """Turn a mask from another source into the logits of a mask prompt.

    The share of each low-resolution voxel that the mask fills, 0 to 1, is mapped linearly to -`MASK_GAIN` to
    `MASK_GAIN`; interpolated back, the zero level is at the mask's surface.

    Args:
        mask_kji: (B, K, J, I) occupancy.
        mask_size: voxels per side of mask prompts; divides the window's.

    Returns:
        (B, 1, mask_size, mask_size, mask_size), in the network's axes.
    """
    share = F.avg_pool3d(mask_kji[:, None].float(), mask_kji.shape[-1] // mask_size)
    return network_axes((2 * share - 1) * MASK_GAIN)


def window_logits(low_logits: Tensor, size: int) -> Tensor:
    """Resample low-resolution logits (B, 1, M, M, M) in the network's axes to (B, K, J, I) on the window's grid."""
    fine = F.interpolate(low_logits.float(), size=(size,) * 3, mode="trilinear", align_corners=False)
    return network_axes(fine)[:, 0]
