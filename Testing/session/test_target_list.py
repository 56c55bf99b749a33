import numpy as np
import pytest

from SegAnyPETLib.errors import BackendError, Cancelled, InputError
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.session.target_list import TargetList
from Testing.session.hot_backend import HotBackend, at, box, pet

#: Far enough apart that no window shows two of them.
LESIONS = [((2, 2, 2), (4, 4, 4)), ((2, 2, 30), (4, 4, 32)), ((2, 2, 60), (4, 4, 62)), ((2, 2, 80), (4, 4, 83))]
CENTRES = [(3, 3, 3), (3, 3, 31), (3, 3, 61), (3, 3, 81)]


@pytest.fixture
def volume():
    return pet((7, 7, 90), *LESIONS)


@pytest.fixture
def targets(volume):
    return TargetList(volume, HotBackend(8))


def mask_of(volume, lesion):
    mask = np.zeros(volume.shape_kji, dtype=bool)
    mask[box(*lesion)] = True
    return mask


def test_the_next_target_is_a_new_one_but_an_untouched_one_is_not_left_behind(targets, volume):
    assert targets.selected is None
    first = targets.next()
    assert targets.next() is first
    first.session.add_point(at(volume, CENTRES[0]))
    second = targets.next()
    assert targets.targets == (first, second)
    assert targets.selected is second


def test_undo_belongs_to_each_target(targets, volume):
    first = targets.next()
    first.session.add_point(at(volume, CENTRES[0]))
    second = targets.next()
    second.session.add_point(at(volume, CENTRES[1]))
    targets.select(first.id).session.undo()
    assert not first.session.mask_kji.any()
    assert (second.session.mask_kji == mask_of(volume, LESIONS[1])).all()
    assert not second.session.can_redo
    first.session.redo()
    assert (first.session.mask_kji == mask_of(volume, LESIONS[0])).all()


def test_a_removed_target_passes_the_selection_on(targets):
    a, b, c = (targets.add(name) for name in "abc")
    targets.select("b")
    assert targets.remove("b") is b
    assert targets.selected is c
    targets.remove("c")
    assert targets.selected is a
    targets.add("d")
    targets.remove("a")
    assert targets.selected.id == "d"
    targets.remove("d")
    assert (targets.selected, targets.targets) == (None, ())
    for act in (targets.select, targets.remove):
        with pytest.raises(InputError, match="no longer in the list"):
            act("a")


def test_ids_are_of_one_target_each(targets):
    targets.add("2")
    assert [targets.add().id, targets.add().id] == ["1", "3"]
    with pytest.raises(InputError, match="id already"):
        targets.add("2")
    targets.remove("3")
    assert targets.add().id == "4"


def test_a_target_goes_on_from_prompts_and_mask(targets, volume):
    target = targets.add("old", (at(volume, CENTRES[0]),), mask_of(volume, LESIONS[0]))
    assert (target.session.mask_kji == mask_of(volume, LESIONS[0])).all()
    with pytest.raises(InputError, match="outside the volume"):
        targets.add("bad", (Point((500, 0, 0)),))
    assert (targets.targets, targets.selected) == ((target,), target)


def test_many_first_clicks_make_a_target_each_as_if_clicked_alone(targets, volume):
    selected = targets.next()
    told = []
    batch = targets.add_each([at(volume, c) for c in CENTRES], lambda *numbers: told.append(numbers) is None)
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert (batch.failures, batch.left) == ((), ())
    assert targets.targets == (selected, *batch.made)
    assert targets.selected is selected
    for target, lesion, centre in zip(batch.made, LESIONS, CENTRES, strict=True):
        alone = InteractiveSession(volume, HotBackend(8))
        alone.add_point(at(volume, centre))
        assert (target.session.mask_kji == alone.mask_kji).all()
        assert (target.session.mask_kji == mask_of(volume, lesion)).all()
        assert target.session.points == alone.points


def test_a_point_that_fails_is_reported_and_the_others_are_kept(targets, volume):
    volume.array_kji[0, 0, 45] = np.nan
    points = [at(volume, CENTRES[0]), at(volume, (0, 0, 45)), at(volume, CENTRES[1]), Point((500, 0, 0))]
    points += [at(volume, CENTRES[2], positive=False), at(volume, CENTRES[3])]
    targets.backend.fail(3, BackendError("the server is gone"))
    batch = targets.add_each(points)
    assert [failure.point for failure in batch.failures] == points[1:5]
    messages = ["without a finite value", "server is gone", "outside the volume", "begins with a positive point"]
    for failure, message in zip(batch.failures, messages, strict=True):
        assert message in str(failure.error)
    assert [target.session.points for target in batch.made] == [(points[0],), (points[5],)]
    assert targets.targets == batch.made
    assert targets.selected is batch.made[0]


def test_a_batch_is_cancelled_between_targets(targets, volume):
    points = [at(volume, c) for c in CENTRES]
    batch = targets.add_each(points, lambda done, total: done < 2)
    assert len(batch.made) == 2
    assert batch.left == tuple(points[2:])
    assert targets.targets == batch.made


def test_a_batch_is_cancelled_within_a_target(targets, volume):
    points = [at(volume, c) for c in CENTRES]
    targets.backend.fail(4, Cancelled("cancelled"))  # the second look at the second target
    batch = targets.add_each(points)
    assert [target.session.points for target in batch.made] == [(points[0],)]
    assert (batch.failures, batch.left) == ((), tuple(points[1:]))
    assert targets.targets == batch.made


def test_points_made_on_another_volume_make_no_targets(targets, volume):
    batch = targets.add_each([at(volume, CENTRES[0])], made_on=pet((7, 7, 90), LESIONS[0]))
    assert "another volume" in str(batch.failures[0].error)
    assert (targets.targets, targets.backend.asked) == ((), [])


def test_another_backend_is_that_of_every_target(targets, volume):
    (target,) = targets.add_each([at(volume, CENTRES[0])]).made
    first, other = targets.backend, HotBackend(12)
    asked = len(first.asked)
    targets.backend = other
    target.session.add_point(at(volume, (2, 2, 2), positive=False))
    assert len(other.asked) == 1
    targets.next().session.add_point(at(volume, CENTRES[1]))
    assert len(other.asked) == 3
    assert len(first.asked) == asked


def test_whoever_watches_the_list_watches_every_target():
    volume = pet((4, 4, 40), ((1, 1, 2), (2, 2, 36)))
    targets = TargetList(volume, HotBackend(8, (1.0,)))
    target = targets.next()
    targets.watch = lambda windows: windows < 3
    assert target.session.add_point(at(volume, (2, 2, 20))).windows == 3
