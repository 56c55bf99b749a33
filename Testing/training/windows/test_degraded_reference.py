import numpy as np

from SegAnyPETLib.training.windows.degraded_reference import degraded_reference


def test_a_misdrawn_reference_overlaps_with_the_target_and_differs_at_its_surface():
    ball = ((np.indices((24, 24, 24)) - 11.5) ** 2).sum(0) < 64
    core = ((np.indices((24, 24, 24)) - 11.5) ** 2).sum(0) < 4
    rng = np.random.default_rng(0)
    masks = [degraded_reference(ball, rng) for _ in range(30)]
    assert all((m & ball).any() for m in masks)
    assert sum((m == ball).all() for m in masks) <= 2
    assert sum((m >= core).all() for m in masks) > 20
    sizes = [int(m.sum()) for m in masks]
    assert min(sizes) < ball.sum() < max(sizes)


def test_a_voxel_that_nothing_would_be_left_of_stays():
    target = np.zeros((5, 5, 5), dtype=bool)
    target[2, 2, 2] = True
    rng = np.random.default_rng(0)
    assert all(degraded_reference(target, rng).any() for _ in range(50))
