"""The loss of the SAM family: Dice plus binary cross-entropy."""

from __future__ import annotations

import torch.nn.functional as F
from monai.losses import DiceLoss
from torch import Tensor

_dice = DiceLoss(sigmoid=True, smooth_nr=1.0, smooth_dr=1.0)
_dice_of_each = DiceLoss(sigmoid=True, smooth_nr=1.0, smooth_dr=1.0, reduction="none")


def dice_bce(logits: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean over the batch of soft Dice loss and binary cross-entropy.

    Args:
        logits: (B, K, J, I).
        target: (B, K, J, I), 0 to 1.
        weights: (B,) factor of each target's loss; their sum does not scale the others', so that a target counts the
            same in every batch. None for 1.
    """
    logits = logits.float()
    if weights is None:
        return _dice(logits[:, None], target[:, None]) + F.binary_cross_entropy_with_logits(logits, target)
    dice = _dice_of_each(logits[:, None], target[:, None]).flatten(1).mean(1)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none").flatten(1).mean(1)
    return (weights * (dice + entropy)).mean()
