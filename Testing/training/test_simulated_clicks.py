import numpy as np
import pytest

from SegAnyPETLib.training import simulated_clicks as clicks
from SegAnyPETLib.training.simulated_clicks import first_click, next_click, satisfied_click

RNG = np.random.default_rng(0)
#: Clicks that are counted to see how often chance takes each way.
DRAWS = 2000


def ball(radius, center=(8, 8, 8), size=17):
    grid = np.stack(np.meshgrid(*[np.arange(size)] * 3, indexing="ij"), -1)
    return np.linalg.norm(grid - np.array(center), axis=-1) <= radius


def test_the_deepest_click_lies_in_the_middle_of_what_is_missed(monkeypatch):
    monkeypatch.setattr(clicks, "DEEPEST_SHARE", 1.0)
    assert next_click(ball(4), np.zeros((17,) * 3, dtype=bool), RNG) == ((8, 8, 8), True)


@pytest.mark.parametrize(("deepest", "inner", "least", "most"), [(0, 1, 0, 2), (0, 0, 2.5, 4), (0.5, 0, 2.5, 4)])
def test_clicks_lie_deep_or_anywhere_in_the_error_by_their_shares(monkeypatch, deepest, inner, least, most):
    monkeypatch.setattr(clicks, "DEEPEST_SHARE", deepest)
    monkeypatch.setattr(clicks, "INNER_SHARE", inner)
    places = [next_click(ball(4), np.zeros((17,) * 3, dtype=bool), RNG)[0] for _ in range(200)]
    away = np.linalg.norm(np.array(places) - 8, axis=1)
    assert least <= away.max() <= most
    assert np.mean(away == 0) == pytest.approx(deepest, abs=0.15)


def test_of_two_equal_errors_the_missed_one_is_mended(monkeypatch):
    monkeypatch.setattr(clicks, "OTHER_KIND_SHARE", 0.0)
    assert next_click(ball(2, (4, 8, 8)), ball(2, (12, 8, 8)), RNG)[1]


def test_spilling_gets_a_negative_click_where_it_spilled():
    target, predicted = ball(3), ball(3) | ball(3, (8, 8, 14))
    for _ in range(20):
        index, positive = next_click(target, predicted, RNG)
        assert not positive
        assert predicted[index]
        assert not target[index]


def test_the_larger_error_is_corrected_by_85_of_100_clicks():
    rng = np.random.default_rng(0)
    target, predicted = ball(1, (4, 4, 4), 9), np.zeros((9,) * 3, dtype=bool)
    predicted[8, 8, 8] = True
    kinds = [next_click(target, predicted, rng)[1] for _ in range(DRAWS)]
    assert np.mean(kinds) == pytest.approx(0.85, abs=0.025)


def test_most_clicks_lie_in_the_middle_of_an_error_and_a_quarter_in_its_inner_half():
    rng = np.random.default_rng(0)
    thick = ball(4, (4, 4, 4), 9)
    away = [np.linalg.norm(np.array(next_click(thick, np.zeros_like(thick), rng)[0]) - 4.0) for _ in range(DRAWS)]
    inner, anywhere = (np.count_nonzero(ball(radius)) for radius in (2, 4))
    assert np.mean(np.equal(away, 0)) == pytest.approx(0.6, abs=0.035)
    assert np.mean(np.less_equal(away, 2)) == pytest.approx(0.85 + 0.15 * inner / anywhere, abs=0.025)


def test_without_an_error_there_is_no_click():
    assert next_click(ball(3), ball(3), RNG) is None


def test_some_first_clicks_lie_one_voxel_outside(monkeypatch):
    monkeypatch.setattr(clicks, "OUTSIDE_SHARE", 1.0)
    place = first_click(ball(4), RNG)
    assert not ball(4)[place]
    assert ball(5)[place]
    monkeypatch.setattr(clicks, "OUTSIDE_SHARE", 0.0)
    assert ball(4)[first_click(ball(4), RNG)]


def test_a_satisfied_click_lies_where_the_prediction_is_right():
    target, predicted = ball(4), ball(3, (8, 8, 9))
    for _ in range(20):
        place, positive = satisfied_click(target, predicted, RNG)
        assert target[place] == predicted[place] == positive


def test_nothing_found_and_nothing_around_gives_no_satisfied_click():
    everything = np.ones((4, 4, 4), dtype=bool)
    assert satisfied_click(everything, ~everything, RNG) is None
