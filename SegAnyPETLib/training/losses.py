"""The loss of the SAM family: Dice plus binary cross-entropy."""

from __future__ import annotations

import torch.nn.functional as F
from monai.losses import DiceLoss
from torch import Tensor

_dice = DiceLoss(sigmoid=True, smooth_nr=1.0, smooth_dr=1.0)


def dice_bce(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over the batch of soft Dice loss and binary cross-entropy.

    Args:
        logits: (B, K, J, I).
        target: (B, K, J, I), 0 or 1.
    """
    logits = logits.float()
    return _dice(logits[:, None], target[:, None]) + F.binary_cross_entropy_with_logits(logits, target)
