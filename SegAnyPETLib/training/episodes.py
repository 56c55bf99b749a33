"""Interactive training: targets are segmented click by click, and every click is a training step.

Each slot holds one target on its way: its points and the mask that the network itself made last. After every step the
slot gets the next click from the error, or, when its episode is over, a new target. So no forward pass is spent on
simulation alone, and a batch mixes first clicks with later ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.models.lite.prompt_maps import PromptBatch, pad_points
from SegAnyPETLib.training.clicks import next_click
from SegAnyPETLib.training.lesions import smooth_noise
from SegAnyPETLib.training.sample import Sample

#: Share of episodes that begin with a mask instead of a click, and of these with a faultless one.
MASK_START_SHARE, FAULTLESS_SHARE = 0.15, 0.3
#: Chance that an episode ends after a step; and its greatest length.
END_SHARE, LONGEST = 0.25, 10
#: Share of steps that show the mask alone, as for a mask that came from elsewhere.
MASK_ONLY_SHARE = 0.06
#: Share of steps that show the mask as probabilities; the others show it as a session does, after the threshold.
SOFT_SHARE = 0.2
#: Share of steps that show a mask as coarse as one from a window of larger voxels.
COARSE_SHARE = 0.25


@dataclass
class Episode:
    """A target on its way.

    Attributes:
        sample: window and reference.
        points: window indices (k, j, i) of the clicks so far.
        labels: 1 for positive, 0 for negative clicks.
        previous: probabilities of the mask so far, None before there is one.
        step: steps done.
    """

    sample: Sample
    points: list[tuple[int, int, int]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    previous: NDArray[np.float32] | None = None
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

    def prompts(self, chosen: list[int], device: torch.device) -> PromptBatch:
        """The batch of some slots."""
        episodes = [self.slots[n] for n in chosen]
        shown = [self._shown(e) for e in episodes]
        points, labels = pad_points(
            [
                torch.tensor(e.points if s else [], dtype=torch.float32).reshape(-1, 3)
                for e, (_, s) in zip(episodes, shown, strict=True)
            ],
            [torch.tensor(e.labels if s else [], dtype=torch.int64) for e, (_, s) in zip(episodes, shown, strict=True)],
        )
        previous = [
            np.zeros_like(e.sample.image) if m is None else m for e, (m, _) in zip(episodes, shown, strict=True)
        ]
        batch = PromptBatch(
            image=torch.from_numpy(np.stack([e.sample.image for e in episodes])),
            points=points,
            labels=labels,
            previous=torch.from_numpy(np.stack(previous)),
            has_previous=torch.tensor([m is not None for m, _ in shown]),
            spacing_mm=torch.tensor([e.sample.spacing_mm for e in episodes], dtype=torch.float32),
        )
        return PromptBatch(**{name: value.to(device) for name, value in vars(batch).items()})

    def targets(self, chosen: list[int], device: torch.device) -> torch.Tensor:
        """References of some slots, (B, K, J, I) float32."""
        return torch.from_numpy(np.stack([self.slots[n].sample.target for n in chosen])).float().to(device)

    def advance(self, chosen: list[int], probabilities: NDArray[np.float32]) -> None:
        """Give each slot its new mask and next click, or a new target."""
        for n, probability in zip(chosen, probabilities, strict=True):
            episode = self.slots[n]
            episode.step += 1
            episode.previous = probability
            over = episode.step >= LONGEST or self.rng.random() < END_SHARE
            if over or not episode.click(probability > 0.5, self.rng):
                self.slots[n] = self._begin()

    def _begin(self) -> Episode:
        episode = Episode(self.draw(self.rng))
        if self.rng.random() < MASK_START_SHARE:
            episode.previous = spoiled_mask(episode.sample, self.rng)
            if self.rng.random() < 0.5:
                episode.click(episode.previous > 0.5, self.rng)
        else:
            episode.click(np.zeros_like(episode.sample.target), self.rng)
        return episode

    def _shown(self, episode: Episode) -> tuple[NDArray[np.float32] | None, bool]:
        """The mask to show, and whether the points are shown beside it."""
        mask = episode.previous
        if mask is None:
            return None, True
        if self.rng.random() > SOFT_SHARE:
            mask = (mask > 0.5).astype(np.float32)
        if self.rng.random() < COARSE_SHARE:
            mask = coarsened(mask, int(self.rng.integers(2, 4)))
        return mask, self.rng.random() > MASK_ONLY_SHARE


def spoiled_mask(sample: Sample, rng: np.random.Generator) -> NDArray[np.float32]:
    """A mask as another reader, method or day might have left it; sometimes without a fault."""
    target = sample.target
    if rng.random() < FAULTLESS_SHARE:
        return target.astype(np.float32)
    signed = ndimage.distance_transform_edt(target) - ndimage.distance_transform_edt(~target)
    depth = max(float(signed.max()), 1.0)
    offset = rng.uniform(-0.4, 0.4) * depth + rng.uniform(0.0, 0.6) * depth * smooth_noise(target.shape, depth, rng)
    spoiled = signed + offset > 0
    return (spoiled if spoiled.any() else target).astype(np.float32)


def coarsened(mask: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """The mask as it comes from a window with voxels ``factor`` times as large."""
    coarse = ndimage.zoom(_blocks(mask, factor), factor, order=1, mode="nearest", grid_mode=True)
    k, j, i = mask.shape
    return (coarse[:k, :j, :i] > 0.5).astype(np.float32)


def _blocks(mask: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Mean over blocks of ``factor`` voxels per side; beyond its end the mask is zero."""
    padded = np.pad(mask, [(0, -n % factor) for n in mask.shape])
    k, j, i = (n // factor for n in padded.shape)
    return padded.reshape(k, factor, j, factor, i, factor).mean((1, 3, 5))
