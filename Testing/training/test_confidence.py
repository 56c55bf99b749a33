import numpy as np
import pytest
import torch

from SegAnyPETLib.training.confidence import confidence, prompt_rounds, quality_weights, rectified, uncertainty
from SegAnyPETLib.training.losses import dice_bce
from SegAnyPETLib.training.windows.sample import Sample

#: Four voxels over two rounds: both say target, they disagree, both waver, both say background.
ROUNDS = torch.tensor([[1.0, 1.0, 0.5, 0.0], [1.0, 0.0, 0.5, 0.0]])


def test_uncertainty_is_the_variance_over_the_rounds():
    assert uncertainty(ROUNDS).tolist() == [0.0, 0.25, 0.0, 0.0]


def test_a_model_is_confident_where_its_rounds_agree_on_something():
    assert confidence(ROUNDS).tolist() == [1.0, 0.0, 0.0, 1.0]
    assert confidence(torch.tensor([[0.9], [0.7]])).item() == pytest.approx((1 - 4 * 0.01) * 0.6)


def test_an_annotation_is_rectified_where_the_model_is_confident_and_stands_elsewhere():
    assert rectified(torch.zeros(4), ROUNDS).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert rectified(torch.ones(4), ROUNDS).tolist() == [1.0, 1.0, 1.0, 0.0]


def test_annotations_of_high_and_low_quality_weigh_two_to_one():
    logits = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    target = torch.zeros(2, 4, 4, 4)
    target[:, 1:3] = 1
    one, other = (dice_bce(logits[n : n + 1], target[n : n + 1]).item() for n in (0, 1))
    weighted = dice_bce(logits, target, quality_weights([False, True])).item()
    assert weighted == pytest.approx((one + 0.5 * other) / 2, rel=1e-5)
    # A poor annotation weighs as little where it is alone in its batch.
    assert dice_bce(logits[1:], target[1:], quality_weights([True])).item() == pytest.approx(0.5 * other, rel=1e-5)


def test_rounds_have_different_positive_points_within_the_annotation():
    target = np.zeros((8, 8, 8), dtype=bool)
    target[2:6, 3:7, 1:5] = True
    sample = Sample(np.zeros((8, 8, 8), np.float32), target, 3.0, "lesion", low_quality=True)
    rounds = prompt_rounds(sample, 6, np.random.default_rng(0))
    assert all(target[point] for episode in rounds for point in episode.points)
    assert all(set(episode.labels) == {1} and 1 <= len(episode.points) <= 3 for episode in rounds)
    assert len({tuple(episode.points) for episode in rounds}) == 6
    assert all(episode.previous is None for episode in rounds)
