"""The loss of several masks per target."""

import pytest
import torch

from SegAnyPETLib.training.answers import Answers
from SegAnyPETLib.training.losses import dice_bce, multimask_loss

TARGET = torch.zeros(1, 4, 4, 4)
TARGET[0, 1:3, 1:3, 1:3] = 1
RIGHT, WRONG = (TARGET * 2 - 1) * 20, (1 - TARGET * 2) * 20


def answers(*masks, ambiguous, dice=None):
    return Answers(torch.stack(masks, 1), dice, torch.tensor([ambiguous]))


def test_where_any_mask_may_be_meant_the_best_one_counts_most():
    one_right = multimask_loss(answers(WRONG, RIGHT, ambiguous=True), TARGET).item()
    none_right = multimask_loss(answers(WRONG, WRONG, ambiguous=True), TARGET).item()
    assert one_right < 0.5 * none_right


def test_where_one_mask_is_meant_the_others_do_not_count():
    loss = multimask_loss(answers(RIGHT, WRONG, ambiguous=False), TARGET).item()
    assert loss == pytest.approx(dice_bce(RIGHT, TARGET).item(), abs=1e-5)


def test_an_estimate_is_held_against_the_dice_that_its_mask_has():
    honest, flattering = torch.tensor([[20.0, -20.0]]), torch.tensor([[20.0, 20.0]])
    loss = [multimask_loss(answers(RIGHT, WRONG, ambiguous=True, dice=d), TARGET).item() for d in (honest, flattering)]
    assert loss[1] - loss[0] == pytest.approx(1.0, abs=1e-3)  # half of the estimates are off by one, weight 2


def test_the_estimate_of_a_mask_that_is_not_meant_is_free():
    loss = [
        multimask_loss(answers(RIGHT, WRONG, ambiguous=False, dice=torch.tensor([[20.0, d]])), TARGET).item()
        for d in (-20.0, 20.0)
    ]
    assert loss[0] == loss[1]
