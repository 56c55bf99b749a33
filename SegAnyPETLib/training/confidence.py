"""Cross-prompting confidence learning: what a model makes of a poor annotation when it is asked in several ways.

From the paper (Zhang et al. 2025, SegAnyPET, arXiv 2502.14351): annotations come in two qualities; a target of low
quality is segmented in several rounds with different prompts; where the answers vary, the model is uncertain; guided by
that, the model rectifies the annotation itself and learns from the rectified one; annotations of high and low quality
weigh 2 to 1 in the loss.

Our reading, where the abstract and what else is at hand leave it open:

- uncertainty is the variance of the probabilities over the rounds, 0 to 1/4;
- confidence is (1 - 4 variance) |2 mean - 1|: the rounds agree, and on something;
- the rectified label goes from the annotation towards the mean answer by as much as the model is confident. Where the
  rounds disagree or waver, the annotation stands;
- the rounds are answered by the averaged weights, and rectification begins after some steps of plain learning, before
  which a model would only be confident of its own first guesses;
- prompts come from the annotation, the only thing that is known of the target.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from SegAnyPETLib.training.episodes import Episode
from SegAnyPETLib.training.windows.sample import Sample

#: Weights of annotations of high and of low quality.
HIGH_WEIGHT = 1.0
LOW_WEIGHT = 0.5
#: Largest variance of values between 0 and 1.
MAX_VARIANCE = 0.25
#: Most points of a round.
MAX_POINTS = 3


def uncertainty(rounds: Tensor) -> Tensor:
    """Variance over the rounds.

    Args:
        rounds: (R, ...) probabilities.

    Returns:
        (...), 0 to 1/4.
    """
    return rounds.var(0, unbiased=False)


def confidence(rounds: Tensor) -> Tensor:
    """How far the rounds agree on target or background.

    Args:
        rounds: (R, ...) probabilities.

    Returns:
        (...), 0 to 1.
    """
    return (1 - uncertainty(rounds) / MAX_VARIANCE) * (2 * rounds.mean(0) - 1).abs()


def rectified(label: Tensor, rounds: Tensor) -> Tensor:
    """Return the annotation, corrected where the model is confident.

    Args:
        label: (...) 0 to 1.
        rounds: (R, ...) probabilities.

    Returns:
        (...) soft label, 0 to 1.
    """
    return label + confidence(rounds) * (rounds.mean(0) - label)


def quality_weights(low_quality: list[bool]) -> Tensor:
    """Weight in the loss of each target of a batch, (B,)."""
    return torch.tensor([LOW_WEIGHT if low else HIGH_WEIGHT for low in low_quality])


def prompt_rounds(sample: Sample, rounds: int, rng: np.random.Generator) -> list[Episode]:
    """Prompt the same target in different ways.

    Args:
        sample: window and annotation.
        rounds: how many.
        rng: source of randomness.

    Returns:
        Per round an episode with one to `MAX_POINTS` positive points, anywhere within the annotation.
    """
    voxels = np.argwhere(sample.target)
    episodes = []
    for _ in range(rounds):
        chosen = voxels[rng.integers(len(voxels), size=int(rng.integers(1, MAX_POINTS + 1)))]
        episodes.append(Episode(sample, [(int(k), int(j), int(i)) for k, j, i in chosen], [1] * len(chosen)))
    return episodes
