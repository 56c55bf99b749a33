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
from scipy import ndimage

from SegAnyPETLib.training.simulated_clicks import first_click, next_click, satisfied_click
from SegAnyPETLib.training.windows.degraded_reference import degraded_reference
from SegAnyPETLib.training.windows.sample import Sample

#: Share of episodes that begin with a mask instead of a click.
MASK_START_SHARE = 0.15
#: Share of these in which the mask is faultless.
FAULTLESS_SHARE = 0.3
#: Share of the faulty masks that are one voxel off.
SHIFTED_SHARE = 0.2
#: Share of episodes that begin with a flood: a mask that ran into hot neighbours, and a negative click in it.
FLOOD_SHARE = 0.08
#: A flood has at least this many times the voxels of the target.
FLOOD_FACTOR = 1.5
#: Share of later clicks that are right already; they teach to hold what is right.
SATISFIED_SHARE = 0.25
#: Chance that an episode ends after a step.
END_SHARE = 0.25


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
        return self._add(click)

    def satisfied_click(self, predicted: NDArray[np.bool_], rng: np.random.Generator) -> bool:
        """Add a click that the prediction obeys already; False where there is none."""
        click = satisfied_click(self.sample.target, predicted, rng)
        return click is not None and self._add(click)

    def first_click(self, rng: np.random.Generator) -> None:
        """Add the click that a target begins with."""
        self._add((first_click(self.sample.target, rng), True))

    def _add(self, click: tuple[tuple[int, int, int], bool]) -> bool:
        self.points.append(click[0])
        self.labels.append(int(click[1]))
        return True


class Episodes:
    """The slots of a training run.

    Args:
        draw: makes a new sample.
        slots: episodes kept at the same time.
        rng: source of randomness.
        max_clicks: steps of an episode at most.
    """

    def __init__(
        self,
        draw: Callable[[np.random.Generator], Sample],
        slots: int,
        rng: np.random.Generator,
        max_clicks: int = 10,
    ) -> None:
        self.draw = draw
        self.max_clicks = max_clicks
        self.rng = rng
        self.slots = [self._begin() for _ in range(slots)]
        self.turn = 0

    def next_batch(self, size: int) -> list[int]:
        """Return the slots whose turn it is."""
        chosen = [(self.turn + n) % len(self.slots) for n in range(size)]
        self.turn = (self.turn + size) % len(self.slots)
        return chosen

    def targets(self, chosen: list[int], device: torch.device) -> torch.Tensor:
        """Stack the references of some slots, (B, K, J, I) float32."""
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
            over = episode.step >= self.max_clicks or self.rng.random() < END_SHARE
            if over or not self._clicked(episode, probability > 0.5):
                self.slots[n] = self._begin()

    def _clicked(self, episode: Episode, predicted: NDArray[np.bool_]) -> bool:
        """Add a click to an episode that goes on; False where nothing is wrong any more."""
        if self.rng.random() < SATISFIED_SHARE and episode.satisfied_click(predicted, self.rng):
            return True
        return episode.click(predicted, self.rng)

    def _begin(self) -> Episode:
        episode = Episode(self.draw(self.rng))
        kind = self.rng.random()
        if kind < FLOOD_SHARE and (flood := flooded_mask(episode.sample, self.rng)) is not None:
            episode.first_click(self.rng)
            episode.previous = flood
            episode.click(flood > 0.5, self.rng)
        elif FLOOD_SHARE <= kind < FLOOD_SHARE + MASK_START_SHARE:
            episode.previous = degraded_mask(episode.sample, self.rng)
            if self.rng.random() < 0.5:
                episode.click(episode.previous > 0.5, self.rng)
        else:
            episode.first_click(self.rng)
        return episode


def degraded_mask(sample: Sample, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a mask as another reader, method or day might have left it; sometimes without a fault."""
    target = sample.target
    if rng.random() < FAULTLESS_SHARE:
        mask = target
    elif rng.random() < SHIFTED_SHARE:
        mask = shifted(target, rng)
    else:
        mask = degraded_reference(target, rng)
    return mask.astype(np.float32)


def shifted(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Shift a mask by one voxel, as after a change of grid; what leaves the window is gone."""
    shift = rng.integers(-1, 2, 3)
    return ndimage.shift(mask.astype(np.uint8), shift, order=0) > 0


def flooded_mask(sample: Sample, rng: np.random.Generator) -> NDArray[np.float32] | None:
    """Make a mask that ran from the target into whatever hot lies beside it.

    Returns:
        (K, J, I) 0 or 1; None where little more than the target is above a level drawn from the target's uptake.
    """
    target = sample.target
    level = float(np.quantile(sample.image[target], rng.uniform(0.05, 0.5)))
    labels, _ = ndimage.label(target | (sample.image > level))
    flood = np.isin(labels, np.unique(labels[target]))
    return flood.astype(np.float32) if flood.sum() > FLOOD_FACTOR * target.sum() else None
