import numpy as np
import pytest

from SegAnyPETLib.training import clicks
from SegAnyPETLib.training.clicks import next_click

RNG = np.random.default_rng(0)


def ball(radius, center=(8, 8, 8), size=17):
    grid = np.stack(np.meshgrid(*[np.arange(size)] * 3, indexing="ij"), -1)
    return np.linalg.norm(grid - np.array(center), axis=-1) <= radius


def test_the_deepest_click_lies_in_the_middle_of_what_is_missed(monkeypatch):
    monkeypatch.setattr(clicks, "DEEPEST_SHARE", 1.0)
    assert next_click(ball(4), np.zeros((17,) * 3, dtype=bool), RNG) == ((8, 8, 8), True)


def test_spilling_gets_a_negative_click_where_it_spilled():
    target, predicted = ball(3), ball(3) | ball(3, (8, 8, 14))
    for _ in range(20):
        index, positive = next_click(target, predicted, RNG)
        assert not positive
        assert predicted[index]
        assert not target[index]


def test_the_larger_error_is_mended_more_often(monkeypatch):
    monkeypatch.setattr(clicks, "OTHER_KIND_SHARE", 0.25)
    target, predicted = ball(4), ball(2, (8, 8, 14))
    kinds = [next_click(target, predicted, RNG)[1] for _ in range(400)]
    assert np.mean(kinds) == pytest.approx(0.75, abs=0.1)


def test_without_an_error_there_is_no_click():
    assert next_click(ball(3), ball(3), RNG) is None
