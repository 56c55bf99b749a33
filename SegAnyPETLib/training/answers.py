"""What a network under training answers to a batch of episodes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Answers:
    """Masks of a batch of targets; a network may answer with several masks per target.

    Attributes:
        logits: (B, M, K, J, I) on the windows' grid; the first mask is the one answer where only one is asked for.
        dice: (B, M) logits of the Dice that the network expects of each mask; None for a network without an estimate.
        ambiguous: (B,) bool, on the CPU: whether so little was shown of a target that any of the masks may be meant.
        previous_logits: (B, ...) what the network wants to see again with the next click; None where that is the mask.
    """

    logits: Tensor
    dice: Tensor | None
    ambiguous: Tensor
    previous_logits: Tensor | None = None
