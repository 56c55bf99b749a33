"""Undo, redo, moved and removed points, and edits by hand."""

import numpy as np
import pytest

from SegAnyPETLib.errors import BackendError, Cancelled, InputError
from SegAnyPETLib.prompts import MaskPrompt, prompts_from_json, prompts_to_json
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.patch import MaskPatch
from Testing.session.hot_backend import HotBackend, at, box, pet

#: Two lesions that one window shows; each is a part of the other's mask.
LEFT, RIGHT = ((2, 2, 2), (4, 4, 4)), ((2, 2, 8), (4, 4, 10))
TUBE = ((1, 1, 2), (2, 2, 36))


@pytest.fixture
def volume():
    return pet((7, 7, 13), LEFT, RIGHT)


def started(volume, *clicks, **backend):
    session = InteractiveSession(volume, HotBackend(16, **backend))
    for index, positive in clicks:
        session.add_point(at(volume, index, positive))
    return session


def hot(volume):
    return volume.array_kji > 2


def only(volume, *boxes):
    mask = np.zeros(volume.shape_kji, dtype=bool)
    for low, high in boxes:
        mask[box(low, high)] = True
    return mask


def test_undo_takes_back_point_and_mask_together_and_redo_brings_both_back(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False))
    second, points = session.mask_kji, session.points
    session.undo()
    assert session.points == points[:1]
    assert (session.mask_kji == hot(volume)).all()
    session.undo()
    assert (session.points, session.prompts, session.history, session.can_undo) == ((), (), (), False)
    assert not session.mask_kji.any()
    session.redo()
    session.redo()
    assert session.points == points
    assert (session.mask_kji == second).all()
    assert not session.can_redo


def test_undo_and_redo_ask_no_model(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False))
    asked = len(session.backend.asked)
    session.undo()
    session.redo()
    assert len(session.backend.asked) == asked


def test_a_new_prompt_clears_what_redo_would_bring(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False))
    session.undo()
    session.add_point(at(volume, (3, 3, 10), positive=False))
    assert not session.can_redo
    with pytest.raises(InputError, match="nothing to redo"):
        session.redo()


def test_there_is_nothing_to_undo_before_the_first_prompt(volume):
    session = started(volume)
    with pytest.raises(InputError, match="nothing to undo"):
        session.undo()


@pytest.mark.parametrize("feeds_back_logits", [False, True])
def test_after_undo_the_next_click_is_as_if_the_undone_one_had_never_been(volume, feeds_back_logits):
    straight = started(volume, ((3, 3, 3), True), ((2, 2, 2), False), feeds_back_logits=feeds_back_logits)
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False), feeds_back_logits=feeds_back_logits)
    session.undo()
    session.add_point(at(volume, (2, 2, 2), positive=False))
    assert (session.mask_kji == straight.mask_kji).all()
    (image, target), (wanted_image, wanted) = session.backend.asked[-1], straight.backend.asked[-1]
    assert image.sha256 == wanted_image.sha256
    assert (target.previous_logits is not None) == feeds_back_logits
    assert (
        np.array_equal(target.previous_logits, wanted.previous_logits)
        if feeds_back_logits
        else (target.mask_kji == wanted.mask_kji).all()
    )


def test_a_removed_point_leaves_no_trace(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False), ((2, 2, 2), False))
    session.remove_point(1)
    straight = started(volume, ((3, 3, 3), True), ((2, 2, 2), False))
    assert session.points == straight.points
    assert (session.mask_kji == straight.mask_kji).all()
    assert session.mask_kji[3, 3, 9]
    assert [step.point for step in session.history] == list(straight.points)


def test_the_model_is_asked_again_only_for_what_came_after_the_removed_point(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False), ((2, 2, 2), False))
    asked = len(session.backend.asked)
    session.remove_point(1)
    assert len(session.backend.asked) == asked + 1
    session.remove_point(1)
    assert len(session.backend.asked) == asked + 1


def test_a_moved_point_counts_as_clicked_where_it_lies_now(volume):
    session = started(volume, ((3, 3, 9), True), ((3, 3, 10), False))
    session.move_point(0, at(volume, (3, 3, 3)))
    straight = started(volume, ((3, 3, 3), True), ((3, 3, 10), False))
    assert session.points == straight.points
    assert (session.mask_kji == straight.mask_kji).all()
    session.undo()
    assert session.mask_kji[3, 3, 9]
    assert session.points[0] == at(volume, (3, 3, 9))


def test_moving_and_removing_are_one_step_of_undo_each(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False), ((2, 2, 2), False))
    before = session.points, session.mask_kji
    session.move_point(1, at(volume, (3, 3, 8), positive=False))
    session.remove_point(0)
    session.undo()
    session.undo()
    assert session.points == before[0]
    assert (session.mask_kji == before[1]).all()


def test_a_point_moved_to_its_own_place_is_no_step(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False))
    session.undo()
    session.move_point(0, session.points[0])
    assert session.can_redo


def test_without_its_last_positive_point_a_target_is_empty_and_its_negative_points_wait(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False))
    session.remove_point(0)
    assert not session.mask_kji.any()
    assert session.points == (at(volume, (3, 3, 9), positive=False),)
    session.add_point(at(volume, (3, 3, 3)))
    assert session.mask_kji[3, 3, 3]
    assert not session.mask_kji[3, 3, 9]
    assert session.backend.asked[-1][1].positive.tolist() == [False, True]


def test_a_point_that_is_not_there_cannot_be_moved_or_removed(volume):
    session = started(volume, ((3, 3, 3), True))
    for number in (-1, 1):
        with pytest.raises(InputError, match="no point number"):
            session.remove_point(number)
        with pytest.raises(InputError, match="no point number"):
            session.move_point(number, at(volume, (3, 3, 3)))


def test_an_edit_by_hand_is_one_step_and_asks_no_model(volume):
    session = started(volume, ((3, 3, 3), True))
    asked = len(session.backend.asked)
    drawn = only(volume, LEFT)
    assert session.set_mask(drawn)
    assert (session.mask_kji == drawn).all()
    assert len(session.backend.asked) == asked
    session.undo()
    assert (session.mask_kji == hot(volume)).all()
    session.redo()
    assert (session.mask_kji == drawn).all()


def test_the_model_is_shown_an_edit_at_the_next_click_in_place_of_its_previous_logits(volume):
    session = started(volume, ((3, 3, 3), True), feeds_back_logits=True)
    drawn = only(volume, LEFT, ((6, 6, 6), (6, 6, 6)))
    session.set_mask(drawn)
    session.add_point(at(volume, (4, 4, 4)))
    image, target = session.backend.asked[-1]
    assert target.previous_logits is None
    assert target.mask_kji.sum() * image.spacing_mm**3 == pytest.approx(drawn.sum(), rel=0.1)
    assert session.mask_kji[6, 6, 6]


def test_a_window_elsewhere_is_shown_the_mask_in_place_of_the_previous_logits():
    volume = pet((4, 4, 40), TUBE)
    session = InteractiveSession(volume, HotBackend(8, (1.0,), feeds_back_logits=True))
    session.add_point(at(volume, (2, 2, 20)))
    session.add_point(at(volume, (2, 2, 30), positive=False))
    _, target = session.backend.asked[-1]
    assert target.previous_logits is None
    assert target.mask_kji.any()


def test_of_masks_the_last_one_alone_is_a_prompt(volume):
    session = started(volume, ((3, 3, 3), True))
    session.set_mask(only(volume, LEFT))
    session.add_mask(hot(volume))
    assert session.prompts[0] == at(volume, (3, 3, 3))
    assert [prompt.refine for prompt in session.prompts[1:]] == [True]
    session.set_mask(only(volume, LEFT))
    assert [prompt.refine for prompt in session.prompts[1:]] == [False]


def test_the_same_mask_is_no_edit(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False))
    session.undo()
    assert not session.set_mask(session.mask_kji)
    assert not session.set_mask(MaskPatch(session.mask_kji, (0, 0, 0)))
    assert session.can_redo


def test_an_edit_overrules_the_points_that_it_contradicts(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), True), ((5, 5, 6), False))
    session.set_mask(only(volume, LEFT))
    assert session.points == (at(volume, (3, 3, 3)), at(volume, (5, 5, 6), positive=False))
    session.add_point(at(volume, (2, 2, 4), positive=False))
    assert not session.mask_kji[box(*RIGHT)].any()
    session.undo()
    session.undo()
    assert len(session.points) == 3


def test_a_target_may_begin_with_a_drawn_mask(volume):
    session = started(volume)
    session.set_mask(hot(volume))
    session.add_point(at(volume, (3, 3, 9), positive=False))
    assert session.mask_kji[3, 3, 3]
    assert not session.mask_kji[3, 3, 9]


def test_without_a_later_point_the_edited_mask_is_back(volume):
    session = started(volume, ((3, 3, 3), True))
    drawn = only(volume, LEFT)
    session.set_mask(drawn)
    session.add_point(at(volume, (2, 2, 2), positive=False))
    session.add_point(at(volume, (4, 4, 4), positive=False))
    session.remove_point(1)
    session.remove_point(1)
    assert (session.mask_kji == drawn).all()
    session.remove_point(0)
    assert (session.mask_kji == drawn).all()
    assert session.points == ()


def test_the_model_is_not_asked_about_points_whose_work_an_edit_has_replaced(volume):
    session = started(volume, ((3, 3, 3), True), ((2, 2, 2), True))
    session.set_mask(only(volume, LEFT))
    asked = len(session.backend.asked)
    session.remove_point(0)
    assert (session.mask_kji == only(volume, LEFT)).all()
    assert session.points == (at(volume, (2, 2, 2)),)
    assert len(session.backend.asked) == asked


def test_a_point_older_than_an_edit_is_moved_as_a_click_after_it(volume):
    session = started(volume, ((3, 3, 3), True))
    drawn = only(volume, ((3, 3, 3), (3, 3, 3)))
    session.set_mask(drawn)
    session.move_point(0, at(volume, (3, 3, 9)))
    straight = InteractiveSession(volume, HotBackend(16), (), drawn)
    straight.add_point(at(volume, (3, 3, 9)))
    assert (session.mask_kji == straight.mask_kji).all()
    assert session.mask_kji[3, 3, 9]


def test_a_mended_mask_is_mended_again_without_the_removed_point(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False))
    session.add_mask(hot(volume))
    assert not session.mask_kji[3, 3, 9]
    session.remove_point(1)
    assert session.mask_kji[3, 3, 9]
    assert session.history[-1].point is None


ACTS = {
    "click": lambda session, volume: session.add_point(at(volume, (2, 2, 30))),
    "negative click": lambda session, volume: session.add_point(at(volume, (2, 2, 18), positive=False)),
    "mask": lambda session, volume: session.add_mask(volume.array_kji > 2),
    "move": lambda session, volume: session.move_point(0, at(volume, (2, 2, 21))),
    "remove": lambda session, volume: session.remove_point(0),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("feeds_back_logits", "error"),
    [(False, BackendError("gone")), (True, Cancelled("cancelled"))],
    ids=["fails", "cancelled"],
)
@pytest.mark.parametrize("act", ACTS)
def test_whenever_the_backend_fails_the_session_is_as_it_was(act, error, feeds_back_logits):
    volume = pet((4, 4, 40), TUBE)

    def session_before(backend):
        session = InteractiveSession(volume, backend)
        for index, positive in (((2, 2, 20), True), ((2, 2, 10), False), ((2, 2, 12), True)):
            session.add_point(at(volume, index, positive))
        session.add_point(at(volume, (1, 1, 3), positive=False))
        session.undo()
        return session

    straight = session_before(HotBackend(8, (1.0,), feeds_back_logits))
    asked = len(straight.backend.asked)
    ACTS[act](straight, volume)
    predictions = len(straight.backend.asked) - asked
    assert predictions >= 1
    for number in range(1, predictions + 1):
        session = session_before(HotBackend(8, (1.0,), feeds_back_logits))
        stood = session.mask_kji, session.prompts, session.history, session.can_undo, session.can_redo
        session.backend.fail(number, error)
        with pytest.raises(type(error)):
            ACTS[act](session, volume)
        assert (session.mask_kji == stood[0]).all()
        assert (session.prompts, session.history, session.can_undo, session.can_redo) == stood[1:]
        ACTS[act](session, volume)
        assert (session.mask_kji == straight.mask_kji).all()
        assert session.points == straight.points


def test_a_long_target_whose_growth_fails_leaves_nothing_behind():
    volume = pet((4, 4, 40), TUBE)
    session = InteractiveSession(volume, HotBackend(8, (1.0,)))
    session.backend.fail(4, BackendError("gone"))
    with pytest.raises(BackendError):
        session.add_point(at(volume, (2, 2, 20)))
    assert len(session.backend.asked) == 3
    assert (session.points, session.history, session.can_undo) == ((), (), False)
    assert not session.mask_kji.any()
    session.add_point(at(volume, (2, 2, 20)))
    assert (session.mask_kji == hot(volume)).all()


def test_a_point_made_on_another_volume_is_refused_before_anything_is_sent(volume):
    other = pet((7, 7, 13), LEFT)
    session = started(volume, ((3, 3, 3), True))
    asked = len(session.backend.asked)
    with pytest.raises(InputError, match="another volume"):
        session.add_point(at(other, (3, 3, 3)), made_on=other)
    with pytest.raises(InputError, match="another volume"):
        session.move_point(0, at(other, (3, 3, 3)), made_on=other)
    session.add_point(at(volume, (3, 3, 4)), made_on=volume)
    assert len(session.points) == 2
    assert len(session.backend.asked) == asked + 1


def test_a_point_is_not_moved_out_of_the_image_or_onto_a_voxel_without_a_value(volume):
    volume.array_kji[0, 0, 0] = np.nan
    session = InteractiveSession(volume, HotBackend(16), (at(volume, (3, 3, 3)),), only(volume, LEFT))
    with pytest.raises(InputError, match="without a finite value"):
        session.move_point(0, at(volume, (0, 0, 0)))
    with pytest.raises(InputError, match="outside the volume"):
        session.move_point(0, at(volume, (0, 0, 99)))
    assert (session.backend.asked, session.can_undo) == ([], False)


def test_points_and_masks_of_another_volume_are_not_restored(volume):
    volume.array_kji[0, 0, 0] = np.nan
    patch = MaskPatch(np.ones((2, 2, 2), dtype=bool), (6, 0, 0))
    for points, mask, message in (
        ((at(volume, (0, 0, 0)),), None, "without a finite value"),
        ((at(volume, (0, 0, 50)),), None, "outside the volume"),
        ((MaskPrompt(patch),), None, "another grid"),
        ((), patch, "another grid"),
        ((), MaskPatch(np.ones((1, 1, 1), dtype=bool), (0, 0, -1)), "another grid"),
    ):
        with pytest.raises(InputError, match=message):
            InteractiveSession(volume, HotBackend(16), points, mask)


def continued(session):
    """A session from what a saved scene holds."""
    prompts = prompts_from_json(prompts_to_json(session.prompts))
    return InteractiveSession(session.volume, HotBackend(16), prompts, session.mask)


def test_prompts_and_mask_are_all_that_a_session_needs_to_go_on(volume):
    session = started(volume, ((3, 3, 3), True))
    drawn = only(volume, LEFT, ((6, 6, 6), (6, 6, 6)))
    session.set_mask(drawn)
    session.add_point(at(volume, (2, 2, 2), positive=False))
    later = continued(session)
    assert later.points == session.points
    assert (later.mask_kji == session.mask_kji).all()
    assert (later.can_undo, later.history) == (False, ())
    later.remove_point(1)
    assert (later.mask_kji == drawn).all()


def test_a_restored_points_only_session_is_segmented_from_the_points_that_stay(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), False))
    later = InteractiveSession(volume, HotBackend(16), session.points, session.mask_kji)
    later.remove_point(1)
    assert (later.mask_kji == hot(volume)).all()


def test_a_mask_without_a_point_that_began_it_is_what_later_changes_go_back_to(volume):
    for points in ((), (at(volume, (5, 5, 5), positive=False),)):
        session = InteractiveSession(volume, HotBackend(16), points, only(volume, LEFT))
        session.add_point(at(volume, (3, 3, 9)))
        for each in (session, continued(session)):
            each.remove_point(len(points))
            assert (each.mask_kji == only(volume, LEFT)).all()
            assert each.points == points


def test_a_restored_mask_overrules_the_points_that_it_contradicts(volume):
    points = (at(volume, (3, 3, 3)), at(volume, (3, 3, 9)))
    session = InteractiveSession(volume, HotBackend(16), points, only(volume, LEFT))
    assert session.points == points[:1]
    session.add_point(at(volume, (2, 2, 2), positive=False))
    assert not session.mask_kji[box(*RIGHT)].any()


def test_of_two_points_in_one_voxel_the_later_one_counts_when_a_session_is_restored(volume):
    session = started(volume, ((3, 3, 3), True), ((3, 3, 9), True), ((3, 3, 9), False))
    assert continued(session).points == session.points
    session.set_mask(only(volume, LEFT, RIGHT))
    assert session.points == (at(volume, (3, 3, 3)), at(volume, (3, 3, 9)))


def test_another_model_starts_from_the_mask_and_history_stays(volume):
    session = started(volume, ((3, 3, 3), True), feeds_back_logits=True)
    before = session.mask_kji
    session.backend = HotBackend(12, (1.0, 2.0), feeds_back_logits=True)
    session.add_point(at(volume, (3, 3, 9), positive=False))
    image, target = session.backend.asked[0]
    assert (image.array_kji.shape, target.previous_logits) == ((12, 12, 12), None)
    assert target.mask_kji is not None
    session.undo()
    assert (session.mask_kji == before).all()
