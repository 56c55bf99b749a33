"""Trains SegAnyPET-Lite from a recipe, on a CPU or a GPU; a run that was stopped goes on where it was."""

from __future__ import annotations

import csv
import json
import math
import time
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.lite.prompt_maps import MAPS, encode
from SegAnyPETLib.models.lite.weights import channels_last, load_weights, save_weights
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.training.dataset import windows_of
from SegAnyPETLib.training.episodes import Episodes
from SegAnyPETLib.training.losses import dice_bce
from SegAnyPETLib.training.recipe import Recipe
from SegAnyPETLib.volume.atomic import replacing

LOG_FIELDS = ("step", "loss", "dice_first", "dice_later", "learning_rate", "seconds")
#: Steps that one line of the log averages.
LOG_EVERY = 50
#: Settings that may change when a run goes on.
RESUMABLE = ("steps", "checkpoint_every", "organ_maps", "real_cases")
#: Voxel sizes in mm of the windows that Lite is trained on and a session may choose.
SPACINGS_MM = (2.0, 6.5)
LICENCE = "Apache-2.0; training data: see Resources/MODEL_CARD.md"


class Trainer:
    """One run.

    Args:
        recipe: what to do.
        output: folder for `NAME.pt` (checkpoint), `NAME.csv` (log) and `NAME.safetensors` (averaged weights).
        device: where to train.
        resume: go on from the checkpoint in ``output``.
    """

    def __init__(self, recipe: Recipe, output: Path, device: str = "cpu", resume: bool = False) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.output, self.device = recipe, output, torch.device(device)
        if recipe.start_from:
            net, _ = load_weights(output / f"{recipe.start_from}.safetensors")
            net.train()
        else:
            net = LiteNet(len(MAPS))
        self.net = channels_last(net.to(self.device))
        # Early on the average follows the weights closely; `use_buffers` is not needed, there are none.
        self.average = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema))
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._rate)
        self.step = 0
        self.log: list[dict[str, float]] = []
        self.rng = np.random.default_rng(recipe.seed + 1)
        if resume:
            self._resume()
        self.episodes = Episodes(windows_of(recipe).draw, recipe.slots, self.rng)

    def run(self, progress: bool = True) -> Path:
        """Train to the recipe's end.

        Returns:
            The file of the averaged weights.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        bar = tqdm(total=self.recipe.steps, initial=self.step, disable=not progress, unit="step", mininterval=5)
        sums = _Sums()
        while self.step < self.recipe.steps:
            sums.add(*self._train_step())
            self.step += 1
            bar.update()
            if self.step % LOG_EVERY == 0 or self.step == self.recipe.steps:
                rate = float(self.schedule.get_last_lr()[0])
                self.log.append({"step": self.step, **sums.means(), "learning_rate": rate})
                bar.set_postfix({k: f"{v:.3f}" for k, v in self.log[-1].items() if "dice" in k or k == "loss"})
                sums = _Sums()
            if self.step % self.recipe.checkpoint_every == 0:
                self.save()
        bar.close()
        return self.save()

    def save(self) -> Path:
        """Write checkpoint, log and averaged weights."""
        state = {
            "recipe": json.dumps(vars(self.recipe)),
            "step": self.step,
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rng": json.dumps(self.rng.bit_generator.state),
            "log": self.log,
        }
        checkpoint = self._file(".pt")
        with replacing(checkpoint, ".pt") as part:
            torch.save(state, part)
        with replacing(self._file(".csv"), ".csv") as part, part.open("w", newline="") as file:
            writer = csv.DictWriter(file, LOG_FIELDS)
            writer.writeheader()
            writer.writerows({k: round(v, 6) for k, v in row.items()} for row in self.log)
        weights = self._file(".safetensors")
        spec = ModelSpec("lite", self.recipe.size, SPACINGS_MM, licence=LICENCE)
        with replacing(weights, ".safetensors") as part:
            save_weights(cast(LiteNet, self.average.module), spec, part)
        return weights

    def _resume(self) -> None:
        checkpoint = self._file(".pt")
        if not checkpoint.is_file():
            raise InputError(f"there is no {checkpoint.name} to go on from; start the run without resuming")
        try:
            state: dict[str, Any] = torch.load(checkpoint, map_location=self.device, weights_only=True)
            before, now = json.loads(state["recipe"]), json.loads(json.dumps(vars(self.recipe)))
            changed = sorted(name for name in now if name not in RESUMABLE and before.get(name) != now[name])
            if changed:
                raise InputError(f"{checkpoint.name} belongs to a run with another {', '.join(changed)}; name it anew")
            self.net.load_state_dict(state["net"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
            self.rng.bit_generator.state = json.loads(state["rng"])
            self.step, self.log = state["step"], state["log"]
        except (EOFError, KeyError, RuntimeError, TypeError, ValueError, UnpicklingError) as error:
            raise InputError(f"{checkpoint.name} is damaged or no checkpoint; start the run anew") from error

    def _train_step(self) -> tuple[float, Tensor, Tensor]:
        chosen = self.episodes.next_batch(self.recipe.batch)
        first = torch.tensor([self.episodes.slots[n].step == 0 for n in chosen])
        prompts, target = self.episodes.prompts(chosen, self.device), self.episodes.targets(chosen, self.device)
        maps = encode(prompts).contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.bf16):
            logits = self.net(maps)
        loss = dice_bce(logits, target)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.net)
        probability = logits.detach().float().sigmoid()
        self.episodes.advance(chosen, probability.cpu().numpy())
        return float(loss.detach()), first, hard_dice(probability > 0.5, target > 0.5).cpu()

    def _rate(self, step: int) -> float:
        rise = min(1.0, (step + 1) / self.recipe.warmup)
        return rise * 0.5 * (1 + math.cos(math.pi * min(step / self.recipe.steps, 1.0)))

    def _file(self, suffix: str) -> Path:
        return self.output / f"{self.recipe.name}{suffix}"


class _Sums:
    """Running means between two lines of the log."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.first: list[float] = []
        self.later: list[float] = []
        self.begin = time.perf_counter()

    def add(self, loss: float, first: Tensor, dice: Tensor) -> None:
        self.losses.append(loss)
        self.first += dice[first].tolist()
        self.later += dice[~first].tolist()

    def means(self) -> dict[str, float]:
        return {
            "loss": float(np.mean(self.losses)),
            "dice_first": float(np.mean(self.first)) if self.first else math.nan,
            "dice_later": float(np.mean(self.later)) if self.later else math.nan,
            "seconds": time.perf_counter() - self.begin,
        }


def hard_dice(predicted: Tensor, target: Tensor) -> Tensor:
    """Dice of bool masks per item of the batch, (B,)."""
    overlap = (predicted & target).flatten(1).sum(1)
    total = predicted.flatten(1).sum(1) + target.flatten(1).sum(1)
    return 2 * overlap / total.clamp(min=1)


def train(recipe: Recipe, output: Path, device: str = "cpu", resume: bool = False, progress: bool = True) -> Path:
    """Run a recipe and return the file of the averaged weights."""
    return Trainer(recipe, output, device, resume).run(progress)
