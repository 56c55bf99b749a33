import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.lite.weights import load_weights
from SegAnyPETLib.models.sam.checkpoint import load_checkpoint
from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.training.episodes import Episodes
from SegAnyPETLib.training.losses import dice_bce, mask_dice
from SegAnyPETLib.training.recipe import Recipe
from SegAnyPETLib.training.trainer import Trainer, train
from SegAnyPETLib.training.windows.sample import Sample

pytestmark = pytest.mark.slow

LITE = Recipe("tiny", steps=2, batch=1, slots=2, size=32, warmup=2, analytic_bodies=1, bf16=False, checkpoint_every=2)
#: What does not depend on the family is tested on the one whose steps are fast at this size.
RECIPE = replace(LITE, steps=4, family="sam", sam=SamConfig(32, 8, 24, 2, 2, (1,), 3, 48, 8), window_spacing_mm=4.0)


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path):
    half = Trainer(RECIPE, tmp_path / "parts")
    half.output.mkdir()
    for _ in range(2):
        half._train_step()
        half.step += 1
    half.save()
    resumed = Trainer(RECIPE, tmp_path / "parts", resume=True)
    assert resumed.step == 2
    assert all(torch.equal(a, b) for a, b in zip(half.net.parameters(), resumed.net.parameters(), strict=True))
    assert resumed.schedule.get_last_lr() == half.schedule.get_last_lr()
    resumed.run(progress=False)
    assert resumed.step == 4


def test_a_run_does_not_go_on_with_another_recipe_or_from_nothing(tmp_path):
    train(RECIPE, tmp_path, progress=False)
    with pytest.raises(InputError, match="another learning_rate"):
        Trainer(replace(RECIPE, learning_rate=1.0), tmp_path, resume=True)
    with pytest.raises(InputError, match=r"no tiny\.pt to go on from"):
        Trainer(RECIPE, tmp_path / "elsewhere", resume=True)
    (tmp_path / "tiny.pt").write_bytes(b"no checkpoint")
    with pytest.raises(InputError, match=r"tiny\.pt is damaged"):
        Trainer(RECIPE, tmp_path, resume=True)


def test_equal_seeds_train_equal_weights(tmp_path):
    one, _ = load_checkpoint(train(RECIPE, tmp_path / "one", progress=False))
    two, _ = load_checkpoint(train(RECIPE, tmp_path / "two", progress=False))
    other, _ = load_checkpoint(train(replace(RECIPE, seed=5), tmp_path / "other", progress=False))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_a_part_of_the_way_from_the_first_stage_can_be_kept(tmp_path):
    first, _ = load_checkpoint(train(RECIPE, tmp_path, progress=False))
    results = {}
    for name, share in (("whole", 0.0), ("half", 0.5)):
        stage = replace(RECIPE, name=name, start_from="tiny", keep_start=share)
        results[name], _ = load_checkpoint(train(stage, tmp_path, progress=False))
    parameters = zip(first.parameters(), results["whole"].parameters(), results["half"].parameters(), strict=True)
    for start, tuned, between in parameters:
        torch.testing.assert_close(between, (start + tuned) / 2, rtol=1e-4, atol=1e-6)
    assert any(not torch.equal(a, b) for a, b in zip(first.parameters(), results["whole"].parameters(), strict=True))


def test_a_run_leaves_weights_and_a_log(tmp_path):
    path = train(LITE, tmp_path, progress=False)
    _, spec = load_weights(path)
    assert (spec.name, spec.size) == ("lite", 32)
    with (tmp_path / "tiny.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2"]
    assert float(rows[0]["loss"]) > 0


def test_a_second_stage_starts_from_the_first_ones_weights(tmp_path):
    first, _ = load_weights(train(replace(LITE, steps=1), tmp_path, progress=False))
    second = Trainer(replace(LITE, name="second", start_from="tiny"), tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.net.parameters(), strict=True))


def test_training_on_one_target_learns_it(tmp_path):
    trainer = Trainer(replace(LITE, steps=40, learning_rate=8e-3), tmp_path)
    target = np.zeros((32, 32, 32), dtype=bool)
    target[10:22, 10:22, 10:22] = True
    sample = Sample(np.where(target, 6.0, 1.0).astype(np.float32), target, 3.0, "lesion")
    trainer.episodes = Episodes(lambda rng: sample, 2, trainer.rng)
    losses = [trainer._train_step()[0][0] for _ in range(16)]
    assert sum(losses[-3:]) < 0.7 * sum(losses[:3])


def test_the_loss_is_small_for_the_truth_and_large_for_its_opposite():
    target = torch.zeros(1, 4, 4, 4)
    target[0, 1:3, 1:3, 1:3] = 1
    assert dice_bce((target * 2 - 1) * 20, target).item() < 0.01
    assert dice_bce((1 - target * 2) * 20, target).item() > 10


def test_dice_of_masks():
    logits = torch.tensor([[[[[1.0, 1, -1]]], [[[1.0, -1, -1]]]], [[[[-1.0, -1, -1]]], [[[1.0, 1, 1]]]]])
    target = torch.tensor([[[[1.0, 0, 0]]], [[[0.0, 0, 0]]]])
    assert mask_dice(logits, target).tolist() == [pytest.approx([2 / 3, 1.0]), [0.0, 0.0]]


def test_a_step_whose_gradient_is_not_finite_leaves_the_weights_finite(tmp_path, monkeypatch):
    from SegAnyPETLib.training import trainer

    real, calls = trainer.multimask_loss, []

    def at_first_not_finite(*arguments):
        calls.append(1)
        return real(*arguments) * (float("nan") if len(calls) == 1 else 1.0)

    monkeypatch.setattr(trainer, "multimask_loss", at_first_not_finite)
    net, _ = load_weights(train(LITE, tmp_path, progress=False))
    assert len(calls) == 2
    assert all(parameter.isfinite().all() for parameter in net.parameters())
