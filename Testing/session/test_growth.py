import numpy as np
import pytest

from SegAnyPETLib.backend.protocol import Prediction
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.growth import MAX_WINDOWS, grow
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window

SIZE = 8


def tube(shape=(4, 4, 40), low=(1, 1, 2), high=(3, 3, 37)):
    """A volume of 1 mm voxels with a long hot box."""
    image = np.zeros(shape, np.float32)
    image[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = 5.0
    return Volume(image, np.eye(4))


def hot(volume):
    """A look that finds all that is hot in a window; the windows and masks it was shown are kept."""

    def look(window, mask):
        look.shown.append((window, mask))
        return window.paste(window.sample(volume) - 1.0, volume)

    look.shown = []
    return look


def followed(volume, start_kji, known=None, watch=lambda windows: True):
    look = hot(volume)
    window = Window.around(volume, volume.point_ras(start_kji), SIZE, 1.0)
    mask = look(window, MaskPatch.empty())
    return grow(volume, window, mask, known or MaskPatch.empty(), look, watch), look


def test_a_target_longer_than_a_window_is_followed_to_both_ends():
    volume = tube()
    grown, _ = followed(volume, (2, 2, 20))
    assert (grown.mask.to_array(volume.shape_kji) == (volume.array_kji > 1)).all()
    assert not grown.open


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("flip", [1, -1])
def test_growth_follows_every_axis_in_both_directions(order, flip):
    source = tube()
    matrix = np.diag([flip, 1.0, 1.0, 1.0])
    volume = Volume(np.transpose(source.array_kji, order), matrix)
    start = np.array([2, 2, 20])[list(order)]
    grown, _ = followed(volume, start)
    assert (grown.mask.to_array(volume.shape_kji) == (volume.array_kji > 1)).all()


def test_each_next_window_shares_half_and_is_shown_the_mask_so_far():
    volume = tube()
    _, look = followed(volume, (2, 2, 4))
    first, second = look.shown[0][0], look.shown[1][0]
    assert second.center_ras[0] - first.center_ras[0] == SIZE // 2 - 1
    assert look.shown[1][1].voxels > 0


def test_a_target_inside_the_window_needs_no_other():
    volume = tube(high=(3, 3, 5))
    grown, look = followed(volume, (2, 2, 3))
    assert len(look.shown) == 1
    assert len(grown.seen) == 1


def test_the_border_of_the_volume_is_no_reason_to_look_further():
    volume = tube(shape=(4, 4, 7), low=(0, 0, 0), high=(4, 4, 7))
    grown, look = followed(volume, (2, 2, 3))
    assert (len(look.shown), grown.open) == (1, False)
    assert grown.mask.voxels == volume.array_kji.size


def test_what_belonged_to_the_mask_before_is_not_followed_again():
    volume = tube()
    known = MaskPatch.cropped(volume.array_kji > 1)
    _, look = followed(volume, (2, 2, 20), known)
    assert len(look.shown) == 1


def test_growth_ends_at_its_limit_and_says_so():
    volume = tube(shape=(4, 4, 200), high=(3, 3, 199))
    grown, look = followed(volume, (2, 2, 100))
    assert grown.open
    assert len(look.shown) == len(grown.seen) == MAX_WINDOWS


def test_growth_can_be_watched_and_ended():
    told = []

    def watch(windows):
        told.append(windows)
        return windows < 3

    grown, look = followed(tube(), (2, 2, 20), watch=watch)
    assert told == [1, 2, 3]
    assert grown.open
    assert len(look.shown) == 3


def test_a_later_window_does_not_undo_what_an_earlier_one_decided_away_from_its_border():
    volume = tube()
    look = hot(volume)
    window = Window.around(volume, volume.point_ras((2, 2, 20)), SIZE, 1.0)
    mask = look(window, MaskPatch.empty())
    grown = grow(volume, window, mask, MaskPatch.empty(), lambda window, mask: MaskPatch.empty(), lambda windows: True)
    inner = slice(window.box_in(volume).low_kji[2] + 2, window.box_in(volume).high_kji[2] - 2)
    kept = grown.mask.to_array(volume.shape_kji)
    assert (kept[1:3, 1:3, inner]).all()
    assert not kept[:, :, : inner.start - 2].any()


class FixedHotRegions:
    """A model of one voxel size that wants its last answer back."""

    spec = ModelSpec("fixed", SIZE, (1.0,))

    def __init__(self):
        self.shown = []

    def predict(self, image, targets):
        self.shown.append((image, targets[0]))
        logits = image.array_kji - 1.0
        return [Prediction.of(logits, SIZE, 1.0, feeds_back_logits=True)]


def test_a_session_over_a_model_without_zoom_grows_beyond_its_window():
    volume = tube()
    backend = FixedHotRegions()
    told = []
    session = InteractiveSession(volume, backend, watch=lambda windows: told.append(windows) is None)
    result = session.add_point(Point(tuple(volume.point_ras((2, 2, 20)))))
    assert (session.mask_kji == (volume.array_kji > 1)).all()
    assert result.windows == len(backend.shown) == len(told) + 1
    assert not result.open
    assert {image.spacing_mm for image, _ in backend.shown} == {1.0}


def test_a_model_without_zoom_looks_once_and_keeps_its_window_and_its_previous_logits():
    volume = tube(high=(3, 3, 5))
    backend = FixedHotRegions()
    session = InteractiveSession(volume, backend)
    first = session.add_point(Point(tuple(volume.point_ras((2, 2, 3)))))
    second = session.add_point(Point(tuple(volume.point_ras((1, 1, 3)))))
    assert second.window is first.window
    assert len(backend.shown) == 2
    assert backend.shown[0][1].previous_logits is None
    assert np.array_equal(backend.shown[1][1].previous_logits, (backend.shown[0][0].array_kji - 1.0).astype(np.float16))
    assert backend.shown[1][1].mask_kji is None
    assert backend.shown[1][0] is backend.shown[0][0]


def test_an_edited_mask_replaces_the_previous_logits():
    volume = tube(high=(3, 3, 5))
    backend = FixedHotRegions()
    session = InteractiveSession(volume, backend)
    session.add_point(Point(tuple(volume.point_ras((2, 2, 3)))))
    edited = session.mask_kji
    edited[1, 1, 2] = False
    session.add_mask(edited)
    assert backend.shown[-1][1].previous_logits is None
    assert backend.shown[-1][1].mask_kji.sum() == edited.sum()


def test_a_click_near_the_border_moves_a_window_without_zoom():
    volume = tube(high=(3, 3, 12))
    session = InteractiveSession(volume, FixedHotRegions())
    first = session.add_point(Point(tuple(volume.point_ras((2, 2, 4)))))
    second = session.add_point(Point(tuple(volume.point_ras((2, 2, 11)))))
    assert second.window is not first.window
    assert second.window.contains(volume.point_ras((2, 2, 11)), 1)
