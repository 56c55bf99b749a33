import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.volume import Volume


def grid(shape=(2, 3, 4), spacing=(1.0, 2.0, 3.0), origin=(10.0, 20.0, 30.0)):
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = origin
    return Volume(np.zeros(shape, dtype=np.float32), matrix)


def test_index_and_point_are_inverse_and_ordered_kji():
    volume = grid()
    assert volume.point_ras([1, 2, 3]).tolist() == [10 + 3, 20 + 2 * 2, 30 + 3]
    assert volume.index_kji([13, 24, 33]).tolist() == pytest.approx([1, 2, 3])


def test_voxel_volume_is_in_millilitres():
    assert grid().voxel_ml == pytest.approx(0.006)


def test_nearest_voxel_includes_the_outer_half_voxel_and_no_more():
    volume = grid()
    assert volume.nearest_kji((10 - 0.49, 20, 30)) == (0, 0, 0)
    with pytest.raises(InputError, match="outside the volume"):
        volume.nearest_kji((10 - 0.51, 20, 30))
    with pytest.raises(InputError, match="outside the volume"):
        volume.nearest_kji((10 + 3.5, 20, 30))


def test_a_point_that_is_not_a_number_is_outside():
    with pytest.raises(InputError, match="outside the volume"):
        grid().nearest_kji((np.nan, 20, 30))


@pytest.mark.parametrize("shape", [(2, 2), (1, 2, 2, 2)])
def test_other_than_three_dimensions_are_refused(shape):
    with pytest.raises(InputError, match="3-D"):
        Volume(np.zeros(shape), np.eye(4))


def test_a_sheared_matrix_is_refused():
    matrix = np.eye(4)
    matrix[0, 1] = 0.1
    with pytest.raises(InputError, match="sheared"):
        Volume(np.zeros((2, 2, 2)), matrix)


def test_a_singular_matrix_is_refused():
    with pytest.raises(InputError, match="without length"):
        Volume(np.zeros((2, 2, 2)), np.diag([1.0, 0.0, 1.0, 1.0]))


def test_grids_are_the_same_within_a_hundredth_of_a_millimetre_at_every_corner():
    assert grid().same_grid(grid(origin=(10.005, 20, 30)))
    assert not grid().same_grid(grid(origin=(10.02, 20, 30)))
    assert not grid().same_grid(grid(spacing=(1.01, 2, 3)))
    assert not grid().same_grid(grid(shape=(2, 3, 5)))


def test_an_array_of_another_shape_does_not_fit():
    with pytest.raises(InputError, match="does not fit"):
        grid().with_array(np.zeros((2, 3, 5)))


@pytest.mark.parametrize(("i", "nearest"), [(-0.5, 0), (0.49, 0), (0.5, 1), (1.5, 2), (2.5, 3)])
def test_a_point_between_two_voxels_belongs_to_the_higher_index(i: float, nearest: int) -> None:
    volume = Volume(np.zeros((1, 1, 4), np.float32), np.eye(4))
    assert volume.nearest_kji((i, 0, 0)) == (0, 0, nearest)
