"""One click may mean several masks: the session takes the one that the model expects most of and keeps the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.prompts import MaskPrompt, prompts_from_json, prompts_to_json
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.volume import Volume
from Testing.session.hot_backend import HotBackend, OnionBackend, at, box, pet

#: A core of 3 voxels per side in a lesion of 5 in a conglomerate of 9; each at its own level.
CORE, LESION, CONGLOMERATE = ((6, 6, 6), (8, 8, 8)), ((5, 5, 5), (9, 9, 9)), ((3, 3, 3), (11, 11, 11))
LEVELS = (5.0, 3.0, 2.0)
VOXELS = (27, 125, 729)


@pytest.fixture
def onion() -> Volume:
    """The three, around the middle of the grid."""
    volume = pet((15, 15, 15))
    for limits, value in ((CONGLOMERATE, 2.5), (LESION, 4.0), (CORE, 8.0)):
        volume.array_kji[box(*limits)] = value
    return volume


def clicked(volume: Volume, *qualities: float, size_step: int = 0) -> InteractiveSession:
    """A session after a click in the middle; the qualities are those of core, lesion and conglomerate."""
    session = InteractiveSession(volume, OnionBackend(LEVELS, qualities))
    session.add_point(replace(at(volume, (7, 7, 7)), size_step=size_step))
    return session


def voxels(session: InteractiveSession) -> int:
    return session.mask.voxels


@pytest.mark.parametrize("best", [0, 1, 2])
def test_the_mask_that_the_model_expects_most_of_is_taken_and_the_others_are_kept_in_order(
    onion: Volume, best: int
) -> None:
    session = clicked(onion, *(0.9 - 0.1 * abs(n - best) for n in range(3)))
    assert voxels(session) == VOXELS[best]
    assert tuple(a.mask.voxels for a in session.alternatives) == VOXELS
    assert session.chosen == best
    assert session.history[-1].quality == 0.9


def test_a_step_smaller_or_larger_costs_no_click_and_asks_no_model(onion: Volume) -> None:
    session = clicked(onion, 0.5, 0.9, 0.6)
    asked = len(session.backend.asked)
    assert session.larger().mask.voxels == VOXELS[2]
    assert (len(session.points), len(session.history), voxels(session)) == (1, 1, VOXELS[2])
    assert not session.has_larger
    session.smaller()
    assert session.smaller().mask.voxels == VOXELS[0]
    assert not session.has_smaller
    assert session.points[0].size_step == -1
    assert len(session.backend.asked) == asked


def test_a_step_is_one_step_of_undo(onion: Volume) -> None:
    session = clicked(onion, 0.5, 0.9, 0.6)
    session.larger()
    session.undo()
    assert (voxels(session), session.chosen, session.points[0].size_step) == (VOXELS[1], 1, 0)
    session.redo()
    assert (voxels(session), session.chosen, session.points[0].size_step) == (VOXELS[2], 2, 1)
    session.undo()
    session.undo()
    assert voxels(session) == 0
    assert session.alternatives == ()


def test_the_next_click_refines_the_chosen_mask(onion: Volume) -> None:
    session = clicked(onion, 0.5, 0.9, 0.6)
    session.larger()
    session.add_point(at(onion, (3, 3, 3)))
    shown = session.backend.asked[-1][1].mask_kji
    assert shown is not None
    assert np.count_nonzero(shown > 0.5) == VOXELS[2]
    assert session.alternatives == ()


def test_beyond_the_last_size_a_step_is_refused_in_words(onion: Volume) -> None:
    session = clicked(onion, 0.5, 0.6, 0.9)
    with pytest.raises(InputError, match="no larger mask"):
        session.larger()
    with pytest.raises(InputError, match="no smaller mask"):
        InteractiveSession(onion, OnionBackend(LEVELS, (0.5, 0.5, 0.5))).smaller()
    assert voxels(session) == VOXELS[2]


def test_masks_of_nearly_the_same_volume_are_one_size(onion: Volume) -> None:
    session = InteractiveSession(onion, OnionBackend((5.0, 4.5, 3.0), (0.6, 0.5, 0.9)))
    session.add_point(at(onion, (7, 7, 7)))
    assert tuple(a.mask.voxels for a in session.alternatives) == VOXELS[:2]


def test_a_click_may_say_its_size_and_is_saved_with_it(onion: Volume) -> None:
    session = clicked(onion, 0.5, 0.9, 0.6, size_step=-1)
    assert (voxels(session), session.points[0].size_step) == (VOXELS[0], -1)
    (saved,) = prompts_from_json(prompts_to_json(session.prompts))
    again = InteractiveSession(onion, session.backend)
    again.add_point(saved)
    assert (voxels(again), again.prompts) == (VOXELS[0], session.prompts)
    session.undo()
    assert voxels(session) == 0


def test_a_click_that_asks_for_more_steps_than_there_are_takes_the_last(onion: Volume) -> None:
    session = clicked(onion, 0.5, 0.9, 0.6, size_step=5)
    assert (voxels(session), session.points[0].size_step) == (VOXELS[2], 1)


def test_a_click_whose_mask_has_one_meaning_has_no_size(onion: Volume) -> None:
    session = clicked(onion, 0.5, 0.9, 0.6)
    session.add_point(replace(at(onion, (3, 3, 3)), size_step=2))
    assert session.points[1].size_step == 0


def test_a_removed_later_click_leaves_the_chosen_size(onion: Volume) -> None:
    session = clicked(onion, 0.5, 0.9, 0.6)
    session.larger()
    session.add_point(at(onion, (3, 3, 3)))
    session.remove_point(1)
    assert (voxels(session), session.chosen) == (VOXELS[2], 2)


def test_a_chosen_size_is_replayed_if_an_earlier_state_is_gone(onion: Volume) -> None:
    first = clicked(onion, 0.5, 0.9, 0.6)
    first.larger()
    first.add_point(at(onion, (3, 3, 3)))
    restored = InteractiveSession(onion, first.backend, first.prompts, first.mask)
    restored.remove_point(1)
    assert voxels(restored) == VOXELS[2]


def test_a_session_that_continues_from_a_click_finds_its_sizes_again(onion: Volume) -> None:
    first = clicked(onion, 0.5, 0.9, 0.6)
    first.smaller()
    restored = InteractiveSession(onion, first.backend, first.prompts, first.mask)
    assert (restored.alternatives, restored.has_smaller, restored.has_larger) == ((), True, True)
    restored.find_sizes()
    assert (voxels(restored), restored.chosen, restored.can_undo) == (VOXELS[0], 0, False)
    with pytest.raises(InputError, match="no smaller mask"):
        restored.smaller()
    assert voxels(restored) == VOXELS[0]
    restored.larger()
    assert (voxels(restored), restored.points[0].size_step, restored.has_larger) == (VOXELS[1], 0, True)
    restored.undo()
    assert voxels(restored) == VOXELS[0]


class Zooming(HotBackend):
    """One mask: what is hotter than a level that falls as the voxels grow."""

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        super().predict(image, targets)
        level = 4.5 if image.spacing_mm < 3 else 3.0 if image.spacing_mm < 6 else 2.0
        inside = image.array_kji > level
        return [Prediction.of(np.where(inside, 3.0, -3.0).astype(np.float32), len(inside), 0.9)]


@pytest.fixture
def coarse_onion() -> Volume:
    """A core of 9 voxels per side in a lesion of 15 in a conglomerate of 27, of 2 mm."""
    volume = pet((45, 45, 45), spacing_mm=2.0)
    for half, value in ((13, 2.5), (7, 4.0), (4, 8.0)):
        volume.array_kji[22 - half : 23 + half, 22 - half : 23 + half, 22 - half : 23 + half] = value
    return volume


def test_the_sizes_of_a_model_of_one_mask_are_sought_when_they_are_asked_for(coarse_onion: Volume) -> None:
    backend = Zooming(size=48, spacing_mm=(2.0, 6.5))
    session = InteractiveSession(coarse_onion, backend)
    session.add_point(at(coarse_onion, (22, 22, 22)))
    first, asked = voxels(session), len(backend.asked)
    assert (session.alternatives, session.has_smaller, session.has_larger) == ((), True, True)
    session.larger()
    assert len(backend.asked) > asked
    assert voxels(session) > 1.5 * first
    session.undo()
    assert voxels(session) == first
    asked = len(backend.asked)
    session.redo()
    session.smaller()
    assert voxels(session) == first
    assert len(backend.asked) == asked


def test_a_click_that_says_its_size_finds_it_in_a_model_of_one_mask(coarse_onion: Volume) -> None:
    plain, larger = (InteractiveSession(coarse_onion, Zooming(size=48, spacing_mm=(2.0, 6.5))) for _ in range(2))
    plain.add_point(at(coarse_onion, (22, 22, 22)))
    larger.add_point(replace(at(coarse_onion, (22, 22, 22)), size_step=1))
    plain.larger()
    assert voxels(plain) == voxels(larger)
    assert larger.points[0].size_step == 1


def test_a_mask_of_another_model_stays_if_this_model_knows_no_smaller_one(onion: Volume) -> None:
    first = clicked(onion, 0.5, 0.9, 0.6)
    other = OnionBackend(LEVELS, (0.9, 0.6, 0.5))  # takes the core, below which there is nothing
    restored = InteractiveSession(onion, other, first.prompts, first.mask)
    restored.find_sizes()
    assert (voxels(restored), restored.alternatives) == (VOXELS[1], ())
    with pytest.raises(InputError, match="no smaller mask"):
        restored.smaller()
    assert (voxels(restored), restored.can_undo) == (VOXELS[1], False)


def test_looking_for_sizes_does_not_change_what_the_next_click_shows_the_model(onion: Volume) -> None:
    backend = HotBackend(size=16, spacing_mm=(1.0,), feeds_back_logits=True)
    session = InteractiveSession(onion, backend)
    session.add_point(at(onion, (7, 7, 7)))
    session.find_sizes()
    session.add_point(at(onion, (3, 3, 3)))
    assert backend.asked[-1][1].previous_logits is not None


def test_a_drawn_mask_has_no_other_size(onion: Volume) -> None:
    session = clicked(onion, 0.5, 0.9, 0.6)
    session.set_mask(session.alternatives[0].mask)
    assert session.alternatives == ()
    assert not any(isinstance(p, MaskPrompt) and p.refine for p in session.prompts)


@pytest.mark.parametrize("step", ["1.5", "null", "true", '"1"'])
def test_a_step_of_size_that_is_not_a_whole_number_is_refused(step: str) -> None:
    with pytest.raises(InputError, match="not a list of prompts"):
        prompts_from_json(f'[{{"ras":[0,0,0],"positive":true,"size_step":{step}}}]')
