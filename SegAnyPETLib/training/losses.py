"""The loss of the SAM family: Dice plus binary cross-entropy, and the best of several masks for an ambiguous prompt."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from monai.losses import DiceLoss
from torch import Tensor

from SegAnyPETLib.training.answers import Answers

#: Share of the mean of all masks in the loss of an ambiguous prompt, beside the best one's: it keeps every mask in use.
MEAN_SHARE = 0.05
#: Share of the first mask in it, which must be good alone.
FIRST_SHARE = 0.3
#: Weight of the squared error of the estimated Dice.
ESTIMATE_WEIGHT = 2.0

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


def multimask_loss(answers: Answers, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean over the batch of the loss of the masks that may be meant, and of the error of their estimates.

    Args:
        answers: masks and estimates.
        target: (B, K, J, I), 0 to 1.
        weights: (B,) factor of each target's loss; None for 1.
    """
    if answers.logits.shape[1] == 1 and answers.dice is None:
        return dice_bce(answers.logits[:, 0], target, weights)
    each = _of_each_mask(answers.logits, target)
    any_mask = each.min(1).values + MEAN_SHARE * each.mean(1) + FIRST_SHARE * each[:, 0]
    ambiguous = answers.ambiguous.to(each.device)
    loss = torch.where(ambiguous, any_mask, each[:, 0])
    if answers.dice is not None:
        meant = ambiguous[:, None].expand_as(each).clone()
        meant[:, 0] = True
        error = (answers.dice.sigmoid() - mask_dice(answers.logits, target)) ** 2
        loss = loss + ESTIMATE_WEIGHT * (error * meant).sum(1) / each.shape[1]
    return loss.mean() if weights is None else (weights * loss).mean()


def _of_each_mask(logits: Tensor, target: Tensor) -> Tensor:
    """Dice plus binary cross-entropy of each mask, (B, M)."""
    logits = logits.float()
    every = target[:, None].expand_as(logits)
    dice = _dice_of_each(logits, every).flatten(2).mean(2)
    return dice + F.binary_cross_entropy_with_logits(logits, every, reduction="none").flatten(2).mean(2)


@torch.no_grad()
def mask_dice(logits: Tensor, target: Tensor) -> Tensor:
    """Dice of each mask after the threshold, (B, M); logits (B, M, K, J, I), target (B, K, J, I)."""
    predicted, true = (logits > 0).flatten(2), (target > 0.5).flatten(1)[:, None]
    overlap = (predicted & true).sum(2)
    return 2 * overlap / (predicted.sum(2) + true.sum(2)).clamp(min=1)
