import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.hottest import SNAP_MM, snapped
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume

#: Flipped, turned and of unequal spacing: i runs to posterior, j to the left, k down.
OBLIQUE = np.array([[0.0, -3.0, 0.0, 5.0], [-2.0, 0.0, 0.0, 7.0], [0.0, 0.0, -4.0, 9.0], [0.0, 0.0, 0.0, 1.0]])


def line(*values, spacing_mm=2.0):
    """A row of voxels along i, the first one at the origin."""
    return Volume(np.array([[values]], dtype=np.float32), np.diag([spacing_mm, 1.0, 1.0, 1.0]))


def snapped_i(volume, i, positive=True):
    point = snapped(volume, Point(tuple(volume.point_ras((0, 0, i))), positive))
    return volume.nearest_kji(point.ras)[2]


def test_a_click_moves_to_the_hottest_voxel_within_seven_millimetres_and_is_kept():
    volume = line(1, 1, 1, 1, 1, 3, 9)
    click = Point((4.3, 0.1, -0.2))
    assert snapped(volume, click) == Point((10.0, 0.0, 0.0), True, click.ras)  # 6 mm from its voxel; 8 mm is too far


def test_a_click_in_the_hottest_voxel_stays_as_it_was_made():
    volume = line(1, 5, 1)
    click = Point((2.4, 0.3, 0.0))
    assert snapped(volume, click) == click


def test_a_negative_click_is_never_moved():
    volume = line(1, 1, 9)
    click = Point((0.0, 0.0, 0.0), positive=False)
    assert snapped(volume, click) == click


def test_of_equally_hot_voxels_the_nearest_is_taken_and_of_equally_near_ones_the_first():
    assert snapped_i(line(9, 9, 1, 1, 9, 1), 3) == 4
    assert snapped_i(line(1, 9, 1, 9, 1), 2) == 1
    assert snapped_i(line(4, 4, 4, 4, 4), 2) == 2


def test_only_finite_voxels_count():
    assert snapped_i(line(1, 2, np.inf, np.nan, 1), 0) == 1


def test_what_a_session_refuses_is_refused_before_it_is_moved():
    volume = line(9, np.nan, 1)
    with pytest.raises(InputError, match="without a finite value"):
        snapped(volume, Point((2.0, 0.0, 0.0)))
    with pytest.raises(InputError, match="outside the volume"):
        snapped(volume, Point((-1.1, 0.0, 0.0)))


VALUES = arrays(np.float32, (4, 5, 6), elements=st.sampled_from([0.0, 1.0, 2.0, np.nan]))


@given(VALUES, st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 5)))
def test_the_hottest_voxel_is_found_on_any_grid(values, index_kji):
    values[index_kji] = 0.0
    volume = Volume(values, OBLIQUE)
    point = snapped(volume, Point(tuple(volume.point_ras(index_kji))))
    centers = volume.point_ras(np.argwhere(np.isfinite(values)))
    near = np.linalg.norm(centers - volume.point_ras(index_kji), axis=-1) <= SNAP_MM
    hottest = values[np.isfinite(values)][near].max()
    candidates = centers[near & (values[np.isfinite(values)] == hottest)]
    least = np.linalg.norm(candidates - volume.point_ras(index_kji), axis=-1).min()
    assert values[volume.nearest_kji(point.ras)] == hottest
    assert np.linalg.norm(np.array(point.ras) - volume.point_ras(index_kji)) == pytest.approx(least)
    assert snapped(volume, point) == point
