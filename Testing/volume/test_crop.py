import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.crop import Crop

seeds = st.integers(0, 2**32 - 1)


@st.composite
def cubes(draw):
    """Cubes of 1 to 6 voxels per side, of which any share is not zero."""
    size, share = draw(st.integers(1, 6)), draw(st.floats(0, 1))
    rng = np.random.default_rng(draw(seeds))
    return np.where(rng.uniform(size=(size,) * 3) < share, rng.integers(1, 256, (size,) * 3), 0).astype(np.uint8)


@given(cubes(), st.integers(0, 3))
def test_a_cube_is_the_same_after_its_empty_surroundings_were_cut_off(cube, margin):
    crop = Crop.around(cube, cube > 0, margin)
    assert np.array_equal(crop.filled(0), cube)
    assert np.array_equal(cube[crop.box.slices], crop.array_kji)


@given(cubes())
def test_no_smaller_box_holds_what_was_chosen(cube):
    values = Crop.around(cube, cube > 0).array_kji
    for axis in range(3 if values.size else 0):
        assert np.take(values, [0, -1], axis).any(axis=tuple(a for a in range(3) if a != axis)).all()


@given(cubes())
def test_a_whole_cube_is_itself(cube):
    assert np.array_equal(Crop.whole(cube).filled(9), cube)


def test_a_margin_ends_at_the_border_of_the_cube():
    cube = np.zeros((5, 5, 5), np.uint8)
    cube[0, 2, 4] = 1
    crop = Crop.around(cube, cube > 0, margin=1)
    assert crop.offset_kji == (0, 1, 3)
    assert crop.array_kji.shape == (2, 3, 2)


def test_beyond_the_box_lies_the_value_that_is_asked_for():
    cube = Crop(2, (1, 0, 1), np.full((1, 2, 1), 7, np.float16)).filled(-20)
    assert cube.dtype == np.float16
    assert cube.tolist() == [[[-20, -20], [-20, -20]], [[-20, 7], [-20, 7]]]


@pytest.mark.parametrize(
    ("corner", "shape"),
    [((-1, 0, 0), (1, 1, 1)), ((0, 0, 2), (1, 1, 2)), ((4, 0, 0), (0, 1, 1)), ((0, 0, 0), (1, 4, 1))],
)
def test_a_box_that_reaches_beyond_its_cube_is_refused(corner, shape):
    with pytest.raises(InputError, match="beyond its cube"):
        Crop(3, corner, np.zeros(shape, np.uint8))
