import numpy as np
import pytest
import torch

from SegAnyPETLib.training import episodes as module
from SegAnyPETLib.training.episodes import Episodes, coarsened, spoiled_mask
from SegAnyPETLib.training.sample import Sample


def sample(rng=None):
    target = np.zeros((16, 16, 16), dtype=bool)
    target[5:11, 5:11, 5:11] = True
    return Sample(np.where(target, 5.0, 1.0).astype(np.float32), target, 2.0, "lesion")


@pytest.fixture
def always_clicks(monkeypatch):
    for name, value in {
        "MASK_START_SHARE": 0,
        "END_SHARE": 0,
        "MASK_ONLY_SHARE": 0,
        "COARSE_SHARE": 0,
        "SOFT_SHARE": 0,
    }.items():
        monkeypatch.setattr(module, name, value)


def test_each_step_adds_a_click_on_the_error_and_shows_the_last_mask(always_clicks):
    episodes = Episodes(sample, 1, np.random.default_rng(0))
    first = episodes.prompts([0], torch.device("cpu"))
    assert first.labels.tolist() == [[1]]
    assert not first.has_previous.any()
    half = np.zeros((1, 16, 16, 16), np.float32)
    half[0, 5:8, 5:11, 5:11] = 0.9
    episodes.advance([0], half)
    second = episodes.prompts([0], torch.device("cpu"))
    assert second.labels.tolist() == [[1, 1]]
    assert 8 <= second.points[0, 1, 0] <= 10
    assert torch.equal(second.previous, torch.from_numpy((half > 0.5).astype(np.float32)))


def test_a_target_without_an_error_is_replaced(always_clicks):
    episodes = Episodes(sample, 1, np.random.default_rng(0))
    old = episodes.slots[0]
    episodes.advance([0], old.sample.target[None].astype(np.float32))
    assert episodes.slots[0] is not old
    assert episodes.slots[0].step == 0


def test_slots_take_turns():
    episodes = Episodes(sample, 3, np.random.default_rng(0))
    assert [episodes.next_batch(2) for _ in range(3)] == [[0, 1], [2, 0], [1, 2]]


def test_a_mask_prompt_can_stand_alone(monkeypatch, always_clicks):
    monkeypatch.setattr(module, "MASK_ONLY_SHARE", 1.0)
    episodes = Episodes(sample, 1, np.random.default_rng(0))
    episodes.slots[0].previous = sample().target.astype(np.float32)
    prompts = episodes.prompts([0], torch.device("cpu"))
    assert prompts.has_previous.all()
    assert (prompts.labels == -1).all()


def test_spoiled_masks_overlap_with_the_target_and_differ_from_it():
    rng = np.random.default_rng(1)
    masks = [spoiled_mask(sample(), rng) > 0.5 for _ in range(40)]
    assert all((m & sample().target).any() for m in masks)
    faultless = np.mean([(m == sample().target).all() for m in masks])
    assert 0.1 < faultless < 0.6


@pytest.mark.parametrize("factor", [2, 3])
def test_a_coarsened_mask_keeps_place_and_size(factor):
    ball = ((np.indices((32, 32, 32)) - 15.5) ** 2).sum(0) < 100
    coarse = coarsened(ball.astype(np.float32), factor) > 0.5
    assert np.argwhere(coarse).mean(0) == pytest.approx([15.5] * 3, abs=0.1)
    assert 0.9 < 2 * (coarse & ball).sum() / (coarse.sum() + ball.sum()) < 1.0
