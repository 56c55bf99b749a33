import numpy as np
import pytest

from SegAnyPETLib.backend.in_process import expected_dice


def test_a_certain_mask_expects_a_dice_of_one():
    assert expected_dice(np.array([[[20.0, -20.0]]], np.float32)) == pytest.approx(1.0)


def test_doubt_inside_and_outside_lowers_the_expected_dice():
    # One voxel of p = 0.5+ inside, one of p = 0.25 outside: 2 * 0.5 / (1 + 0.75).
    logits = np.array([[[1e-6, np.log(1 / 3)]]], np.float32)
    assert expected_dice(logits) == pytest.approx(2 * 0.5 / 1.75, rel=1e-4)


def test_an_empty_mask_expects_nothing():
    assert expected_dice(np.full((2, 2, 2), -5.0, np.float32)) == 0.0
