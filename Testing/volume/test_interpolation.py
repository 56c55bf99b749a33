import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from SegAnyPETLib.volume.interpolation import Line, interpolate, refined


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.tuples(*[st.integers(1, 6)] * 3), st.integers(1, 5))
def test_a_finer_grid_holds_what_torch_computes(seed, shape, factor):
    array = np.random.default_rng(seed).normal(0, 5, shape).astype(np.float32)
    sides = [n * factor for n in shape]
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(array)[None, None], sides, mode="trilinear", align_corners=False
    )
    np.testing.assert_allclose(refined(array, factor), expected[0, 0].numpy(), rtol=0, atol=1e-5)


def test_a_grid_twice_as_fine_has_voxels_a_quarter_beside_the_coarse_ones():
    line = refined(np.array([[[0.0, 4.0]]], np.float32), 2)
    assert line.shape == (2, 2, 4)
    assert line[0, 0].tolist() == [0.0, 1.0, 3.0, 4.0]


def test_a_factor_of_one_changes_nothing():
    array = np.random.default_rng(1).normal(size=(2, 3, 4)).astype(np.float16)
    assert np.array_equal(refined(array, 1), array.astype(np.float32))


def test_float16_is_refined_as_if_it_were_float32():
    array = np.random.default_rng(2).normal(size=(3, 3, 3)).astype(np.float16)
    assert np.array_equal(refined(array, 3), refined(array.astype(np.float32), 3))


def test_positions_beyond_the_outermost_half_voxel_are_zero():
    array = np.full((1, 1, 2), 5.0, np.float32)
    along = Line.of(0.5, -1.0, 7, 2)  # -1, -0.5, 0, 0.5, 1, 1.5, 2 in voxels of the source
    still = Line.of(1.0, 0.0, 1, 1)
    assert interpolate(array, [still, still, along])[0, 0].tolist() == [0, 0, 5, 5, 5, 0, 0]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_the_axes_does_not_matter(order):
    array = np.random.default_rng(3).normal(size=(3, 4, 5)).astype(np.float32)
    lines = [Line.of(0.7, 0.2, 3, n) for n in array.shape]
    turned = interpolate(array.transpose(order), [lines[a] for a in order])
    np.testing.assert_allclose(turned, interpolate(array, lines).transpose(order), rtol=0, atol=1e-6)
