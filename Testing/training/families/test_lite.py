from dataclasses import replace

import numpy as np
import pytest
import torch

from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.training.episodes import Episode
from SegAnyPETLib.training.families import lite as module
from SegAnyPETLib.training.families.lite import coarsened, prompt_batch, train_heads_only
from SegAnyPETLib.training.windows.sample import Sample


@pytest.fixture
def shown_as_it_is(monkeypatch):
    for name in ("MASK_ONLY_SHARE", "COARSE_SHARE", "SOFT_SHARE", "MASK_DROPPED_SHARE"):
        monkeypatch.setattr(module, name, 0)


def episode(previous=None):
    target = np.zeros((16, 16, 16), dtype=bool)
    target[5:11, 5:11, 5:11] = True
    sample = Sample(np.where(target, 5.0, 1.0).astype(np.float32), target, 2.0, "lesion")
    return Episode(sample, [(5, 6, 7), (1, 2, 3)], [1, 0], previous)


def batch_of(*episodes):
    return prompt_batch(episodes, np.random.default_rng(0), torch.device("cpu"))


def test_a_first_click_is_shown_without_a_mask(shown_as_it_is):
    batch = batch_of(episode())
    assert batch.labels.tolist() == [[1, 0]]
    assert batch.points.tolist() == [[[5, 6, 7], [1, 2, 3]]]
    assert not batch.has_previous.any()
    assert not batch.previous.any()


def test_a_later_click_is_shown_with_the_last_mask_after_the_threshold(shown_as_it_is):
    half = np.zeros((16, 16, 16), np.float32)
    half[5:8, 5:11, 5:11] = 0.9
    half[8:11] = 0.4
    batch = batch_of(episode(half))
    assert batch.has_previous.all()
    assert torch.equal(batch.previous[0], torch.from_numpy(half > 0.5).float())


def test_a_mask_prompt_can_stand_alone(monkeypatch, shown_as_it_is):
    monkeypatch.setattr(module, "MASK_ONLY_SHARE", 1.0)
    batch = batch_of(episode(episode().sample.target.astype(np.float32)))
    assert batch.has_previous.all()
    assert (batch.labels == -1).all()


@pytest.mark.parametrize("factor", [2, 3])
def test_a_coarsened_mask_keeps_place_and_size(factor):
    ball = ((np.indices((32, 32, 32)) - 15.5) ** 2).sum(0) < 100
    coarse = coarsened(ball.astype(np.float32), factor) > 0.5
    assert np.argwhere(coarse).mean(0) == pytest.approx([15.5] * 3, abs=0.1)
    assert 0.9 < 2 * (coarse & ball).sum() / (coarse.sum() + ball.sum()) < 1.0


def test_now_and_then_the_points_are_shown_without_the_mask(monkeypatch, shown_as_it_is):
    monkeypatch.setattr(module, "MASK_DROPPED_SHARE", 1.0)
    batch = batch_of(episode(episode().sample.target.astype(np.float32)))
    assert not batch.has_previous.any()
    assert batch.labels.tolist() == [[1, 0]]


def test_finished_neighbours_are_shown_as_not_the_target(shown_as_it_is):
    one = episode()
    neighbour = np.zeros((16, 16, 16), dtype=bool)
    neighbour[12:14] = True
    known = Episode(replace(one.sample, not_target=neighbour), one.points, one.labels)
    assert torch.equal(batch_of(one, known).not_target[1], torch.from_numpy(neighbour).float())
    assert not batch_of(one, known).not_target[0].any()


@pytest.mark.slow
def test_training_of_the_heads_leaves_the_first_mask_as_it_is():
    torch.manual_seed(0)
    net = LiteNet(3, channels=(8, 16), blocks=(1, 1))
    train_heads_only(net)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    optimizer = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], 0.1, weight_decay=0.0)
    output = net(torch.randn(1, 3, 16, 16, 16))
    (output.logits.square().sum() + output.dice.square().sum()).backward()
    optimizer.step()
    changed = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    heads = {"head.weight", "head.bias"}
    assert heads < changed
    assert all(name in heads or name.startswith("estimate.") for name in changed)
    assert torch.equal(net.head.weight[0], before["head.weight"][0])
    assert not torch.equal(net.head.weight[1], before["head.weight"][1])
