import numpy as np
import pytest

from SegAnyPETLib.errors import BackendError, Cancelled
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


def test_many_first_clicks_make_a_target_each_as_if_clicked_alone(targets, volume):
    reported = []
    batch = targets.add_each([at(volume, c) for c in CENTRES], lambda *numbers: reported.append(numbers) is None)
    assert reported == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert (batch.failures, batch.left) == ((), ())
    assert targets.sessions == batch.made
    for target, lesion, centre in zip(batch.made, LESIONS, CENTRES, strict=True):
        alone = InteractiveSession(volume, HotBackend(8))
        alone.add_point(at(volume, centre))
        assert (target.mask_kji == alone.mask_kji).all()
        assert (target.mask_kji == mask_of(volume, lesion)).all()
        assert target.points == alone.points


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
    assert [target.points for target in batch.made] == [(points[0],), (points[5],)]
    assert targets.sessions == batch.made


def test_a_batch_is_cancelled_between_targets(targets, volume):
    points = [at(volume, c) for c in CENTRES]
    batch = targets.add_each(points, lambda done, total: done < 2)
    assert len(batch.made) == 2
    assert batch.left == tuple(points[2:])
    assert targets.sessions == batch.made


def test_a_batch_is_cancelled_within_a_target(targets, volume):
    points = [at(volume, c) for c in CENTRES]
    targets.backend.fail(4, Cancelled("cancelled"))  # the second look at the second target
    batch = targets.add_each(points)
    assert [target.points for target in batch.made] == [(points[0],)]
    assert (batch.failures, batch.left) == ((), tuple(points[1:]))
    assert targets.sessions == batch.made


def test_points_made_on_another_volume_make_no_targets(targets, volume):
    batch = targets.add_each([at(volume, CENTRES[0])], made_on=pet((7, 7, 90), LESIONS[0]))
    assert "another volume" in str(batch.failures[0].error)
    assert (targets.sessions, targets.backend.asked) == ((), [])


def test_one_watch_follows_every_target():
    volume = pet((4, 4, 40), ((1, 1, 2), (2, 2, 36)))
    targets = TargetList(volume, HotBackend(8, (1.0,)), watch=lambda windows: windows < 3)
    (session,) = targets.add_each([at(volume, (2, 2, 20))]).made
    assert session.history[-1].windows == 3


def test_undo_belongs_to_each_target(targets, volume):
    first, second = targets.add_each([at(volume, c) for c in CENTRES[:2]]).made
    first.undo()
    assert not first.mask_kji.any()
    assert (second.mask_kji == mask_of(volume, LESIONS[1])).all()


def test_a_second_batch_joins_the_first(targets, volume):
    first = targets.add_each([at(volume, CENTRES[0])]).made
    second = targets.add_each([at(volume, CENTRES[1])]).made
    assert targets.sessions == (*first, *second)
