"""Windows of simulated bodies."""

import numpy as np
import pytest

from SegAnyPETLib.training.windows.simulated import SimulatedWindows, revoxel


def test_larger_voxels_lose_what_is_small_but_not_the_mean():
    image = np.zeros((32, 32, 32), np.float32)
    image[16, 16, 16] = 64.0
    coarse = revoxel(image, 2.0)
    assert coarse.shape == image.shape
    assert coarse.max() < 32
    assert coarse.sum() == pytest.approx(image.sum(), rel=0.4)


@pytest.mark.parametrize(("organ_share", "kind"), [(1.0, "organ"), (0.0, "lesion")])
def test_windows_have_the_kind_of_target_and_the_size_that_are_asked_for(anatomy, organ_share, kind):
    windows = SimulatedWindows([anatomy], 32, organ_share)
    rng = np.random.default_rng(2)
    for _ in range(12):
        sample = windows.draw(rng)
        assert sample.kind == kind
        assert sample.image.shape == sample.target.shape == (32, 32, 32)
        assert sample.image.dtype == np.float32
        assert np.isfinite(sample.image).all()
        assert sample.target.sum() >= 4
        assert 1.5 < sample.spacing_mm < 7


def test_equal_seeds_draw_equal_windows(anatomy):
    windows = SimulatedWindows([anatomy], 32, 0.5)
    one, two = (windows.draw(np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.target, two.target)
