import numpy as np
import pytest

from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.zoom import FILL, first_window, fitting_window, shows_click, still_fits
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

VOLUME = Volume(np.zeros((200, 200, 200), np.float32), np.diag([2.0, 2.0, 2.0, 1.0]))


class Model:
    spec = ModelSpec("none", 64, (2.0, 6.0))


class FixedModel:
    spec = ModelSpec("published", 128, (1.5,))


def mask_of(side):
    return MaskPatch(np.ones((side,) * 3, dtype=bool), (50, 50, 50))


def test_the_first_look_is_centred_on_the_point():
    window = first_window(VOLUME, Model(), Point((100, 120, 140)))
    assert window.center_ras == pytest.approx([100, 120, 140])
    assert window.spacing_mm == pytest.approx(4.0)


def test_a_model_without_zoom_keeps_its_voxel_size():
    assert first_window(VOLUME, FixedModel(), Point((100, 100, 100))).spacing_mm == pytest.approx(1.5)
    assert fitting_window(VOLUME, FixedModel(), mask_of(90), ()).spacing_mm == pytest.approx(1.5)


@pytest.mark.parametrize(("side", "spacing_mm"), [(5, 2.0), (73, 144 / FILL / 64), (150, 6.0)])
def test_the_zoom_follows_the_targets_size_within_the_models_range(side, spacing_mm):
    window = fitting_window(VOLUME, Model(), mask_of(side), ())
    assert window.spacing_mm == pytest.approx(spacing_mm)
    assert window.center_ras == pytest.approx(VOLUME.point_ras([50 + (side - 1) / 2] * 3), abs=1.01)


def test_points_far_from_the_mask_widen_the_window():
    far = Point(tuple(VOLUME.point_ras((150, 52, 52))))
    window = fitting_window(VOLUME, Model(), mask_of(5), (far,))
    assert window.contains(far.ras)
    assert window.contains(VOLUME.point_ras((50, 50, 50)))


def test_where_nothing_can_show_it_all_the_last_point_is_the_centre():
    points = (Point((10, 10, 10)), Point((390, 390, 390)))
    window = fitting_window(VOLUME, Model(), mask_of(180), points)
    assert window.center_ras == pytest.approx([390, 390, 390])


def test_a_window_fits_until_something_comes_near_its_border():
    window = fitting_window(VOLUME, Model(), mask_of(5), ())
    assert still_fits(window, VOLUME, mask_of(5), ())
    edge = window.center_ras + np.array([31 * 2.0, 0, 0])
    assert not still_fits(window, VOLUME, mask_of(5), (Point(tuple(edge)),))
    assert not still_fits(window, VOLUME, mask_of(60), ())


@pytest.mark.parametrize(("voxels_from_border", "shown"), [(8.1, True), (7.9, False), (-1, False)])
def test_a_window_without_zoom_is_kept_while_clicks_lie_an_eighth_of_its_side_inside(voxels_from_border, shown):
    window = first_window(VOLUME, Model(), Point((200, 200, 200)))
    assert window.size == 64
    for side in (-0.5 + voxels_from_border, 63.5 - voxels_from_border):
        x, y, z = window.ijk_to_ras[:3, :3] @ (side, 32, 32) + window.ijk_to_ras[:3, 3]
        assert shows_click(window, Point((x, y, z))) == shown
