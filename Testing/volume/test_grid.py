import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

SHAPE = (4, 5, 6)


def grid_with(matrix: np.ndarray) -> Grid:
    return Grid(SHAPE, tuple(map(tuple, matrix.tolist())))


def test_the_mirror_image_of_a_grid_is_another_grid() -> None:
    mirrored = np.diag([-1.0, 1, 1, 1])
    with pytest.raises(InputError, match="another image"):
        grid_with(np.eye(4)).check_same(grid_with(mirrored))


def test_slices_the_other_way_round_are_the_same_grid() -> None:
    turned = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 3], [0, 0, 0, 1]])
    mask = MaskPatch(np.array([[[True]], [[False]]]), (0, 1, 2))
    there = grid_with(np.eye(4)).to(grid_with(turned), mask)
    assert there.offset_kji == (2, 1, 2)
    assert there.array_kji.ravel().tolist() == [False, True]


def test_a_nudge_below_the_rounding_of_headers_is_the_same_grid() -> None:
    nudged = np.eye(4)
    nudged[0, 3] = 0.009
    grid_with(np.eye(4)).check_same(grid_with(nudged))
    nudged[0, 3] = 0.011
    with pytest.raises(InputError, match="another image"):
        grid_with(np.eye(4)).check_same(grid_with(nudged))


def test_the_grid_of_a_volume_is_its_shape_and_matrix() -> None:
    matrix = np.array([[0.0, -3, 0, 1], [2, 0, 0, 2], [0, 0, -4, 3], [0, 0, 0, 1]])
    grid = Grid.of(Volume(np.zeros(SHAPE, np.float32), matrix))
    assert grid == grid_with(matrix)
    assert np.array_equal(grid.matrix, matrix)
    assert grid.left_handed


@pytest.mark.parametrize(
    ("shape_kji", "matrix"),
    [
        ((4, 5, 0), np.eye(4)),
        ((4, 5), np.eye(4)),
        (SHAPE, np.eye(3)),
        (SHAPE, np.diag([1.0, np.nan, 1, 1])),
        (SHAPE, np.zeros((4, 4))),
    ],
)
def test_what_is_not_a_grid_is_refused(shape_kji: tuple[int, ...], matrix: np.ndarray) -> None:
    with pytest.raises(InputError):
        Grid(shape_kji, tuple(map(tuple, matrix.tolist())))
