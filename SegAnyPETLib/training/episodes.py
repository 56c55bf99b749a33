"""Interactive training: targets are segmented click by click, and every click is a training step.

Each slot holds one target on its way: its points and what the network itself made of it last. After every step the
slot gets the next click from the error, or, when its episode is over, a new target. So no forward pass is spent on
simulation alone, and a batch mixes first clicks with later ones. What of an episode a network sees is up to its family.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from SegAnyPETLib.training.degraded_reference import degraded_reference
from SegAnyPETLib.training.sample import Sample
from SegAnyPETLib.training.simulated_clicks import next_click

#: Share of episodes that begin with a mask instead of a click.
MASK_START_SHARE = 0.15
#: Share of these in which the mask is faultless.
FAULTLESS_SHARE = 0.3
#: Chance that an episode ends after a step.
END_SHARE = 0.25
#: Steps of the longest episode.
LONGEST = 10


@dataclass(eq=False)
class Episode:
    """A target on its way.

    Attributes:
        sample: window and reference.
        points: window indices (k, j, i) of the clicks so far.
        labels: 1 for positive, 0 for negative clicks.
        previous: probabilities of the mask so far, None before there is one.
        previous_logits: what the network answered last, where it wants to see that again beside or instead of the mask.
        step: steps done.
    """

    sample: Sample
    points: list[tuple[int, int, int]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    previous: NDArray[np.float32] | None = None
    previous_logits: NDArray[np.float32] | None = None
    step: int = 0

    def click(self, predicted: NDArray[np.bool_], rng: np.random.Generator) -> bool:
        """Add the next click; False where nothing is wrong any more."""
        click = next_click(self.sample.target, predicted, rng)
        if click is None:
            return False
        self.points.append(click[0])
        self.labels.append(int(click[1]))
        return True


class Episodes:
    """The slots of a training run.

    Args:
        draw: makes a new sample.
        slots: episodes kept at the same time.
        rng: source of randomness.
    """

    def __init__(self, draw: Callable[[np.random.Generator], Sample], slots: int, rng: np.random.Generator) -> None:
        self.draw = draw
        self.rng = rng
        self.slots = [self._begin() for _ in range(slots)]
        self.turn = 0

    def next_batch(self, size: int) -> list[int]:
        """The slots whose turn it is."""
        chosen = [(self.turn + n) % len(self.slots) for n in range(size)]
        self.turn = (self.turn + size) % len(self.slots)
        return chosen

    def targets(self, chosen: list[int], device: torch.device) -> torch.Tensor:
        """References of some slots, (B, K, J, I) float32."""
        return torch.from_numpy(np.stack([self.slots[n].sample.target for n in chosen])).float().to(device)

    def advance(
        self, chosen: list[int], probabilities: NDArray[np.float32], previous_logits: NDArray[np.float32] | None = None
    ) -> None:
        """Give each slot its new mask and next click, or a new target.

        Args:
            chosen: slots whose turn it was.
            probabilities: (B, K, J, I) new masks.
            memories: (B, ...) what the network wants to see again, None where that is nothing.
        """
        for place, n in enumerate(chosen):
            episode, probability = self.slots[n], probabilities[place]
            episode.step += 1
            episode.previous = probability
            episode.previous_logits = None if previous_logits is None else previous_logits[place]
            over = episode.step >= LONGEST or self.rng.random() < END_SHARE
            if over or not episode.click(probability > 0.5, self.rng):
                self.slots[n] = self._begin()

    def _begin(self) -> Episode:
        episode = Episode(self.draw(self.rng))
        if self.rng.random() < MASK_START_SHARE:
            episode.previous = degraded_mask(episode.sample, self.rng)
            if self.rng.random() < 0.5:
                episode.click(episode.previous > 0.5, self.rng)
        else:
            episode.click(np.zeros_like(episode.sample.target), self.rng)
        return episode


def degraded_mask(sample: Sample, rng: np.random.Generator) -> NDArray[np.float32]:
    """A mask as another reader, method or day might have left it; sometimes without a fault."""
    target = sample.target
    if rng.random() < FAULTLESS_SHARE:
        return target.astype(np.float32)
    return degraded_reference(target, rng).astype(np.float32)
