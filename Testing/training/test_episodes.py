import numpy as np
import pytest

from SegAnyPETLib.training import episodes as module
from SegAnyPETLib.training.episodes import Episodes, degraded_mask, flooded_mask, shifted
from SegAnyPETLib.training.windows.sample import Sample


def sample(rng=None):
    target = np.zeros((16, 16, 16), dtype=bool)
    target[5:11, 5:11, 5:11] = True
    return Sample(np.where(target, 5.0, 1.0).astype(np.float32), target, 2.0, "lesion")


@pytest.fixture
def always_clicks(monkeypatch):
    for name in ("MASK_START_SHARE", "FLOOD_SHARE", "SATISFIED_SHARE", "END_SHARE"):
        monkeypatch.setattr(module, name, 0)


def test_each_step_adds_a_click_on_the_error_and_keeps_the_last_answer(always_clicks):
    episodes = Episodes(sample, 1, np.random.default_rng(0))
    assert episodes.slots[0].labels == [1]
    assert episodes.slots[0].previous is None
    half = np.zeros((1, 16, 16, 16), np.float32)
    half[0, 5:8, 5:11, 5:11] = 0.9
    episodes.advance([0], half, np.full((1, 4), 7.0, np.float32))
    assert episodes.slots[0].labels == [1, 1]
    assert 8 <= episodes.slots[0].points[1][0] <= 10
    assert (episodes.slots[0].previous == half[0]).all()
    assert episodes.slots[0].previous_logits.tolist() == [7.0] * 4


def test_a_target_without_an_error_is_replaced(always_clicks):
    episodes = Episodes(sample, 1, np.random.default_rng(0))
    old = episodes.slots[0]
    episodes.advance([0], old.sample.target[None].astype(np.float32))
    assert episodes.slots[0] is not old
    assert episodes.slots[0].step == 0


def test_an_episode_ends_at_its_greatest_length(always_clicks):
    episodes = Episodes(sample, 1, np.random.default_rng(0), max_clicks=2)
    old = episodes.slots[0]
    nothing = np.zeros((1, 16, 16, 16), np.float32)
    episodes.advance([0], nothing)
    assert episodes.slots[0] is old
    episodes.advance([0], nothing)
    assert episodes.slots[0] is not old


def test_a_click_beside_a_mask_prompt_corrects_that_mask(monkeypatch):
    monkeypatch.setattr(module, "MASK_START_SHARE", 1)
    monkeypatch.setattr(module, "FLOOD_SHARE", 0)
    monkeypatch.setattr(module, "FAULTLESS_SHARE", 0)
    slots = [e for e in Episodes(sample, 40, np.random.default_rng(0)).slots if e.points]
    assert 5 < len(slots) < 35
    for episode in slots:
        (index,), (label,) = episode.points, episode.labels
        assert episode.sample.target[index] == bool(label) != (episode.previous[index] > 0.5)


def test_slots_take_turns():
    episodes = Episodes(sample, 3, np.random.default_rng(0))
    assert [episodes.next_batch(2) for _ in range(3)] == [[0, 1], [2, 0], [1, 2]]


def test_spoiled_masks_overlap_with_the_target_and_differ_from_it():
    rng = np.random.default_rng(1)
    masks = [degraded_mask(sample(), rng) > 0.5 for _ in range(40)]
    assert all((m & sample().target).any() for m in masks)
    faultless = np.mean([(m == sample().target).all() for m in masks])
    assert 0.1 < faultless < 0.6


def beside_a_hot_neighbour():
    one = sample()
    one.image[5:11, 5:11, 11:15] = 6.0
    return one


def test_a_flood_runs_from_the_target_into_its_neighbour():
    one = beside_a_hot_neighbour()
    flood = flooded_mask(one, np.random.default_rng(0)) > 0.5
    assert np.array_equal(flood, one.image > 1.0)
    assert flooded_mask(sample(), np.random.default_rng(0)) is None


def test_an_episode_that_begins_with_a_flood_goes_on_with_a_negative_click_in_it(monkeypatch):
    monkeypatch.setattr(module, "FLOOD_SHARE", 1)
    (episode,) = Episodes(lambda rng: beside_a_hot_neighbour(), 1, np.random.default_rng(0)).slots
    assert episode.labels == [1, 0]
    k, j, i = episode.points[1]
    assert episode.sample.image[k, j, i] == 6.0


def test_some_clicks_are_right_already_and_hold_the_mask(always_clicks, monkeypatch):
    monkeypatch.setattr(module, "SATISFIED_SHARE", 1)
    episodes = Episodes(sample, 1, np.random.default_rng(0))
    truth = sample().target
    for _ in range(6):
        episodes.advance([0], truth[None].astype(np.float32))
    (episode,) = episodes.slots
    assert len(episode.points) == 7
    assert set(episode.labels[1:]) == {0, 1}
    assert all(truth[point] == bool(label) for point, label in zip(episode.points[1:], episode.labels[1:], strict=True))


def test_a_shifted_mask_is_at_most_one_voxel_off():
    rng = np.random.default_rng(0)
    places = np.array([np.argwhere(shifted(sample().target, rng)).mean(0) for _ in range(30)]) - 7.5
    assert set(np.unique(places)) == {-1.0, 0.0, 1.0}
