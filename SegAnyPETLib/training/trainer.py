"""Trains a network from a recipe, on a CPU or on GPUs; a run that was stopped goes on where it was.

Started by torchrun, every process trains on batches of its own, gradients are averaged, and the first one writes.
"""

from __future__ import annotations

import copy
import csv
import json
import math
import time
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.training.answers import Answers
from SegAnyPETLib.training.confidence import prompt_rounds, quality_weights, rectified
from SegAnyPETLib.training.episodes import Episodes
from SegAnyPETLib.training.families.family import trainee_of
from SegAnyPETLib.training.losses import mask_dice, multimask_loss
from SegAnyPETLib.training.recipe import CHECKPOINTS, Recipe
from SegAnyPETLib.training.windows.dataset import windows_of
from SegAnyPETLib.training.windows.sample import Sample
from SegAnyPETLib.training.world import World, exchange, joined
from SegAnyPETLib.volume.atomic import replacing

LOG_FIELDS = ("step", "loss", "dice_first", "dice_later", "learning_rate", "seconds")
#: Steps that one line of the log averages.
LOG_EVERY = 50
#: Share of targets with several masks that go on from any of them instead of the best one.
OTHER_MASK_SHARE = 0.4
#: Settings that may change when a run goes on.
RESUMABLE = ("steps", "checkpoint_every", "organ_maps", "real_cases")


class Trainer:
    """One run.

    Args:
        recipe: what to do.
        output: folder for `NAME.pt` (checkpoint), `NAME.csv` (log) and `NAME.safetensors` (averaged weights).
        device: kind of device to train on.
        resume: go on from the checkpoint in ``output``.
        world: this process among those of the run.
    """

    def __init__(
        self, recipe: Recipe, output: Path, device: str = "cpu", resume: bool = False, world: World | None = None
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.output, self.world = recipe, output, world or World()
        self.device = self.world.local_device(torch.device(device))
        self.trainee = trainee_of(recipe, output)
        self.net = self.trainee.network().to(self.device)
        self.start = {name: value.clone() for name, value in self.net.state_dict().items()} if recipe.keep_start else {}
        self.wrapped = self.world.wrapped(self.net, self.device)
        # Early on the average follows the weights closely; `use_buffers` is not needed, buffers never change.
        self.average = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema))
        self.optimizer = torch.optim.AdamW(
            [p for p in self.net.parameters() if p.requires_grad],
            recipe.learning_rate,
            weight_decay=recipe.weight_decay,
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._rate)
        self.step = 0
        self.log: list[dict[str, float]] = []
        # The first process draws what a single one would; each of the others draws something else.
        rank = self.world.rank
        self.rng = np.random.default_rng([recipe.seed + 1, rank] if rank else recipe.seed + 1)
        if resume:
            self._resume()
        self.episodes = Episodes(windows_of(recipe).draw, recipe.slots, self.rng, recipe.max_clicks)

    def run(self, progress: bool = True) -> Path:
        """Train to the recipe's end.

        Returns:
            The file of the averaged weights.
        """
        if self.world.first:
            self.output.mkdir(parents=True, exist_ok=True)
        bar = tqdm(total=self.recipe.steps, initial=self.step, disable=not progress, unit="step", mininterval=5)
        sums = _Sums(self.world, self.device)
        while self.step < self.recipe.steps:
            for loss, first, dice in self._train_step():
                sums.add(loss, first, dice)
            self.step += 1
            bar.update()
            if self.step % LOG_EVERY == 0 or self.step == self.recipe.steps:
                rate = float(self.schedule.get_last_lr()[0])
                self.log.append({"step": self.step, **sums.means(), "learning_rate": rate})
                bar.set_postfix({k: f"{v:.3f}" for k, v in self.log[-1].items() if "dice" in k or k == "loss"})
                sums = _Sums(self.world, self.device)
            if self.step % self.recipe.checkpoint_every == 0:
                self.save()
        bar.close()
        return self.save()

    def save(self) -> Path:
        """Write checkpoint, log and averaged weights, if this is the first process.

        Returns:
            The file of the averaged weights.
        """
        rngs = self.world.gathered(json.dumps(self.rng.bit_generator.state))
        weights = self._file(".safetensors")
        if not self.world.first:
            return weights
        state = {
            "recipe": json.dumps(self.recipe.to_dict()),
            "step": self.step,
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rngs": rngs,
            "log": self.log,
        }
        checkpoint = self._file(".pt")
        with replacing(checkpoint, ".pt") as part:
            torch.save(state, part)
        with replacing(self._file(".csv"), ".csv") as part, part.open("w", newline="") as file:
            writer = csv.DictWriter(file, LOG_FIELDS)
            writer.writeheader()
            writer.writerows({k: round(v, 6) for k, v in row.items()} for row in self.log)
        return self.trainee.save(self._result())

    def _result(self) -> nn.Module:
        """Return the averaged weights, or the recipe's point between these and those at the start.

        Tuned and untuned weights together keep more of what the untuned ones knew (Wortsman et al. 2022, arXiv
        2109.01903).
        """
        if not self.recipe.keep_start:
            return self.average.module
        result = copy.deepcopy(self.average.module)
        tuned = result.state_dict()
        result.load_state_dict({k: v.lerp(self.start[k], self.recipe.keep_start) for k, v in tuned.items()})
        return result

    def _resume(self) -> None:
        checkpoint = self._file(".pt")
        if not checkpoint.is_file():
            raise InputError(f"there is no {checkpoint.name} to go on from; start the run without resuming")
        try:
            state: dict[str, Any] = torch.load(checkpoint, map_location=self.device, weights_only=True)
            changed = _changed(json.loads(state["recipe"]), json.loads(json.dumps(self.recipe.to_dict())))
            if changed:
                raise InputError(f"{checkpoint.name} belongs to a run with another {', '.join(changed)}; name it anew")
            if len(state["rngs"]) != self.world.size:
                raise InputError(f"{checkpoint.name} belongs to a run of {len(state['rngs'])} processes; start as many")
            self.net.load_state_dict(state["net"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
            self.rng.bit_generator.state = json.loads(state["rngs"][self.world.rank])
            self.step, self.log = state["step"], state["log"]
        except (EOFError, KeyError, RuntimeError, TypeError, ValueError, UnpicklingError) as error:
            raise InputError(f"{checkpoint.name} is damaged or no checkpoint; start the run anew") from error

    def _train_step(self) -> list[tuple[float, Tensor, Tensor]]:
        """One step of the optimiser; the log's figures of each of its batches."""
        self.optimizer.zero_grad()
        results = []
        for n in range(self.recipe.accumulate):
            # Gradients are exchanged once per step, with its last batch.
            with exchange(self.wrapped, now=n == self.recipe.accumulate - 1):
                results.append(self._batch())
        # In bfloat16 a gradient is now and then not finite; such a step is left out, as loss scalers for float16 do.
        if torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0).isfinite():
            self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.net)
        return results

    def _batch(self) -> tuple[float, Tensor, Tensor]:
        """Gradients of one batch; its loss, which of its items are first steps, and the Dice of all."""
        chosen = self.episodes.next_batch(self.recipe.batch)
        first = torch.tensor([self.episodes.slots[n].step == 0 for n in chosen])
        shown = [self.episodes.slots[n] for n in chosen]
        target, weights = self._labels(chosen)
        answers = self.trainee.forward(self.wrapped, shown, self.rng, self.device)
        loss = multimask_loss(answers, target, weights)
        (loss / self.recipe.accumulate).backward()
        picked = picked_masks(answers, self.rng).to(self.device)
        rows = torch.arange(len(picked), device=self.device)
        probability = answers.logits.detach()[rows, picked].float().sigmoid()
        previous = answers.previous_logits
        kept = None if previous is None else previous.detach().float().cpu().numpy()
        self.episodes.advance(chosen, probability.cpu().numpy(), kept)
        dice = mask_dice(answers.logits.detach(), target)
        return float(loss.detach()), first, dice[rows, best_masks(answers).to(self.device)].cpu()

    def _labels(self, chosen: list[int]) -> tuple[Tensor, Tensor | None]:
        """Return references (B, K, J, I) of some slots, poor ones rectified, and their weights if these differ."""
        target = self.episodes.targets(chosen, self.device)
        samples = [self.episodes.slots[n].sample for n in chosen]
        low_quality = [sample.low_quality for sample in samples]
        if not any(low_quality):
            return target, None
        if self.step >= self.recipe.rectify_after:
            for n, sample in enumerate(samples):
                if sample.low_quality:
                    target[n] = rectified(target[n], self._rounds(sample))
        return target, quality_weights(low_quality).to(self.device)

    @torch.no_grad()
    def _rounds(self, sample: Sample) -> Tensor:
        """Ask the averaged weights with several rounds of prompts, for (R, K, J, I) probabilities."""
        asked = prompt_rounds(sample, self.recipe.prompt_rounds, self.rng)
        answers = self.trainee.forward(self.average.module, asked, self.rng, self.device)
        return answers.logits[:, 0].float().sigmoid()

    def _rate(self, step: int) -> float:
        rise = min(1.0, (step + 1) / self.recipe.warmup)
        return rise * 0.5 * (1 + math.cos(math.pi * min(step / self.recipe.steps, 1.0)))

    def _file(self, suffix: str) -> Path:
        return self.output / f"{self.recipe.name}{suffix}"


class _Sums:
    """Means between two lines of the log, over all processes."""

    def __init__(self, world: World, device: torch.device) -> None:
        self.world, self.device = world, device
        self.losses: list[float] = []
        self.first: list[float] = []
        self.later: list[float] = []
        self.begin = time.perf_counter()

    def add(self, loss: float, first: Tensor, dice: Tensor) -> None:
        self.losses.append(loss)
        self.first += dice[first].tolist()
        self.later += dice[~first].tolist()

    def means(self) -> dict[str, float]:
        kept = (self.losses, self.first, self.later)
        sums = self.world.summed([x for values in kept for x in (math.fsum(values), len(values))], self.device)
        loss, first, later = (sums[n] / sums[n + 1] if sums[n + 1] else math.nan for n in (0, 2, 4))
        seconds = time.perf_counter() - self.begin
        return {"loss": loss, "dice_first": first, "dice_later": later, "seconds": seconds}


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the names of settings that differ between the checkpoint and the recipe."""
    for settings in (before, now):  # the data may have moved
        if str(settings.get("start_from", "")).endswith(CHECKPOINTS):
            settings["start_from"] = Path(settings["start_from"]).name
    return sorted(name for name in now if name not in RESUMABLE and before.get(name) != now[name])


def best_masks(answers: Answers) -> Tensor:
    """Choose the mask of each target that the network expects most of, among those that may be meant, (B,)."""
    if answers.dice is None:
        return torch.zeros(len(answers.logits), dtype=torch.long)
    return torch.where(answers.ambiguous, answers.dice.detach().cpu().argmax(1), 0)


def picked_masks(answers: Answers, rng: np.random.Generator) -> Tensor:
    """Choose the mask of each target that its next click corrects, (B,): mostly the best, now and then another one,
    as a user may choose."""
    picked = best_masks(answers)
    for n in np.flatnonzero(answers.ambiguous.numpy() & (rng.random(len(picked)) < OTHER_MASK_SHARE)):
        picked[n] = int(rng.integers(answers.logits.shape[1]))
    return picked


def train(recipe: Recipe, output: Path, device: str = "cpu", resume: bool = False, progress: bool = True) -> Path:
    """Run a recipe, as one of several processes where torchrun started them.

    Returns:
        The file of the averaged weights.
    """
    with joined(torch.device(device)) as world:
        return Trainer(recipe, output, device, resume, world).run(progress and world.first)
