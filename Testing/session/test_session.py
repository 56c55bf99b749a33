from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.volume import Volume


class Request(NamedTuple):
    image: WindowImage
    target: TargetPrompts


class HotRegions:
    """A backend that needs no training: foreground is what is hotter than 2 and not near a negative point."""

    spec = ModelSpec("hot", 32, (2.0, 8.0))

    def __init__(self):
        self.requests = []

    def predict(self, image, targets):
        (target,) = targets
        self.requests.append(Request(image, target))
        logits = np.where(image.array_kji > 2, 4.0, -4.0).astype(np.float32)
        grid = np.stack(np.meshgrid(*[np.arange(n) for n in logits.shape], indexing="ij"), -1)
        for point in target.points_kji[~target.positive]:
            logits[np.linalg.norm((grid - point) * image.spacing_mm, axis=-1) < 8] = -4.0
        return [Prediction.of(logits, len(logits), 1.0)]


def pet(*boxes, shape=(40, 40, 40), spacing=2.0):
    image = np.ones(shape, np.float32)
    for low, high in boxes:
        image[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = 5.0
    return Volume(image, np.diag([-spacing, spacing, spacing, 1.0]), "SUVbw")


def at(volume, index_kji, positive=True):
    return Point(tuple(volume.point_ras(index_kji)), positive)


LESION = ((18, 18, 18), (23, 23, 23))


def test_one_click_gives_the_lesion_on_the_volumes_grid():
    volume = pet(LESION)
    session = InteractiveSession(volume, HotRegions())
    result = session.add_point(at(volume, (20, 20, 20)))
    assert (session.mask_kji == (volume.array_kji > 2)).all()
    assert result.mask.offset_kji == (18, 18, 18)
    assert result.mask.voxels == 125


def test_the_first_look_is_from_afar_and_the_second_at_the_targets_zoom():
    volume = pet(LESION)
    backend = HotRegions()
    InteractiveSession(volume, backend).add_point(at(volume, (20, 20, 20)))
    first, second = backend.requests
    assert (first.image.spacing_mm, first.target.mask_kji) == (4.0, None)
    assert second.image.spacing_mm == 2.0
    assert second.target.mask_kji is not None
    assert second.target.mask_kji.sum() == pytest.approx(125, rel=0.3)


class Doubtful(HotRegions):
    """Expects little of what it sees, but for one voxel size; there it sees half of it alone."""

    def predict(self, image, targets):
        (prediction,) = super().predict(image, targets)
        if image.spacing_mm != 5.0:
            return [replace(prediction, quality=0.5)]
        logits = prediction.logits_kji
        logits[: len(logits) // 2] = -4.0
        return [Prediction.of(logits, len(logits), 1.0)]


def test_a_doubtful_first_look_is_repeated_at_other_zooms_and_the_best_one_counts():
    volume = pet(LESION)
    backend = Doubtful()
    InteractiveSession(volume, backend).add_point(at(volume, (20, 20, 20)))
    *first, last = backend.requests
    assert [request.image.spacing_mm for request in first] == [4.0, 3.0, 5.0, 6.5]
    assert all(request.target.mask_kji is None for request in first)
    assert 0 < last.target.mask_kji.sum() < 100  # what was seen at 5 mm, not all 125 voxels


def test_the_model_is_told_of_every_click_where_it_was_made():
    volume = pet(LESION)
    backend = HotRegions()
    session = InteractiveSession(volume, backend)
    session.add_point(at(volume, (20, 20, 20)))
    session.add_point(at(volume, (22, 22, 18), positive=False))
    request = backend.requests[-1]
    assert request.target.positive.tolist() == [True, False]
    # The volume's i axis points left, the window's right.
    assert (request.target.points_kji[1] - request.target.points_kji[0]).tolist() == pytest.approx([2, 2, 2])
    assert request.image.array_kji[tuple(np.rint(request.target.points_kji[0]).astype(int))] == 5.0


def test_a_later_click_keeps_the_window_while_it_shows_everything():
    volume = pet(LESION)
    session = InteractiveSession(volume, HotRegions())
    window = session.add_point(at(volume, (20, 20, 20))).window
    assert session.add_point(at(volume, (21, 21, 21))).window is window


def test_a_click_far_away_begins_a_new_part_with_a_look_of_its_own():
    other = ((36, 36, 36), (39, 39, 39))
    volume = pet(((2, 2, 2), (6, 6, 6)), other)
    backend = HotRegions()
    session = InteractiveSession(volume, backend)
    session.add_point(at(volume, (4, 4, 4)))
    far = session.add_point(at(volume, (37, 37, 37)))
    assert (session.mask_kji == (volume.array_kji > 2)).all()
    assert far.window.contains(volume.point_ras((37, 37, 37)))
    assert backend.requests[-2].target.mask_kji is None


def test_a_negative_click_on_one_part_leaves_the_other():
    volume = pet(((0, 0, 0), (6, 6, 6)), ((74, 74, 74), (79, 79, 79)), shape=(80, 80, 80))
    session = InteractiveSession(volume, HotRegions())
    session.add_point(at(volume, (3, 3, 3)))
    session.add_point(at(volume, (76, 76, 76)))
    session.add_point(at(volume, (77, 77, 78), positive=False))
    assert session.mask_kji[:6, :6, :6].all()
    assert not session.mask_kji[77, 77, 78]
    assert session.mask_kji[76, 76, 76]


def test_every_positive_point_is_inside_and_every_negative_one_outside():
    volume = pet(LESION)
    session = InteractiveSession(volume, HotRegions())
    clicks = [
        ((20, 20, 20), True),
        ((30, 30, 30), True),
        ((20, 20, 21), False),
        ((20, 20, 22), True),
        ((5, 5, 5), False),
    ]
    for index, positive in clicks:
        session.add_point(at(volume, index, positive))
        for earlier, wanted in clicks[: len(session.points)]:
            assert session.mask_kji[earlier] == wanted


def test_the_history_holds_each_step():
    volume = pet(LESION)
    session = InteractiveSession(volume, HotRegions())
    first = session.add_point(at(volume, (20, 20, 20)))
    second = session.add_point(at(volume, (20, 20, 22), positive=False))
    assert session.history == (first, second)
    assert [p.positive for p in session.points] == [True, False]
    assert second.mask.voxels < first.mask.voxels


def test_a_mask_from_elsewhere_is_shown_to_the_model():
    volume = pet(LESION)
    backend = HotRegions()
    session = InteractiveSession(volume, backend)
    given = np.zeros(volume.shape_kji, dtype=bool)
    given[19:22, 19:22, 19:22] = True
    result = session.add_mask(given)
    assert backend.requests[-1].target.mask_kji.sum() == pytest.approx(27, rel=0.01)
    assert result.point is None
    assert (session.mask_kji == (volume.array_kji > 2)).all()


def test_a_mask_larger_than_the_window_keeps_what_the_model_did_not_see():
    volume = pet(shape=(100, 20, 20), spacing=4.0)
    volume.array_kji[:, 5:15, 5:15] = 5.0
    given = volume.array_kji > 2
    session = InteractiveSession(volume, HotRegions())
    assert session.add_mask(given).window.box_in(volume).slices[0] == slice(18, 81)
    assert (session.mask_kji[:18] == given[:18]).all()
    assert (session.mask_kji[81:] == given[81:]).all()


def test_a_session_goes_on_from_the_points_and_the_mask_of_an_earlier_one():
    volume = pet(LESION)
    earlier = InteractiveSession(volume, HotRegions())
    earlier.add_point(at(volume, (20, 20, 20)))
    later = InteractiveSession(volume, HotRegions(), earlier.points, earlier.mask_kji)
    assert (later.mask_kji == earlier.mask_kji).all()
    click = at(volume, (22, 22, 18), positive=False)
    earlier.add_point(click)
    later.add_point(click)
    assert later.points == earlier.points
    assert (later.mask_kji == earlier.mask_kji).all()
    with pytest.raises(InputError, match="outside the volume"):
        InteractiveSession(volume, HotRegions(), (Point((500, 0, 0)),))


def test_what_cannot_be_used_is_refused_and_changes_nothing():
    volume = pet(LESION)
    volume.array_kji[0, 0, 0] = np.nan
    backend = HotRegions()
    session = InteractiveSession(volume, backend)
    with pytest.raises(InputError, match="outside the volume"):
        session.add_point(Point((500, 0, 0)))
    with pytest.raises(InputError, match="without a finite value"):
        session.add_point(at(volume, (0, 0, 0)))
    with pytest.raises(InputError, match="begins with a positive point"):
        session.add_point(at(volume, (20, 20, 20), positive=False))
    with pytest.raises(InputError, match="another grid"):
        session.add_mask(np.ones((2, 2, 2), dtype=bool))
    with pytest.raises(InputError, match="no voxel"):
        session.add_mask(np.zeros(volume.shape_kji, dtype=bool))
    assert (session.points, session.history, backend.requests) == ((), (), [])


def test_a_click_where_the_model_sees_nothing_still_marks_the_spot():
    volume = pet()
    session = InteractiveSession(volume, HotRegions())
    session.add_point(at(volume, (20, 20, 20)))
    assert session.mask_kji[20, 20, 20]
    assert 0 < session.mask.voxels < 60


def test_voxels_without_a_value_are_shown_to_the_model_as_nothing():
    volume = pet(LESION)
    array = volume.array_kji.copy()
    array[:15], array[30:] = np.nan, np.inf
    backend = HotRegions()
    session = InteractiveSession(volume.with_array(array), backend)
    session.add_point(at(volume, (20, 20, 20)))
    assert all(np.isfinite(request.image.array_kji).all() for request in backend.requests)
    assert session.mask_kji[20, 20, 20]
