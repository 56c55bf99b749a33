"""Point spread and noise."""

import numpy as np
import pytest

from SegAnyPETLib.simulation.scanner import FWHM_PER_SIGMA, Scanner


def test_the_point_spread_has_the_scanners_width():
    activity = np.zeros((41, 41, 41), np.float32)
    activity[20, 20, 20] = 1000.0
    image = Scanner(7.0, 0.0, 4.0).image(activity, (1.0, 1.0, 1.0), np.random.default_rng(0))
    profile = image[20, 20]
    sigma = np.sqrt((profile * (np.arange(41) - 20.0) ** 2).sum() / profile.sum())
    assert sigma * FWHM_PER_SIGMA == pytest.approx(7.0, rel=0.05)


def test_noise_grows_with_the_root_of_the_activity():
    rng = np.random.default_rng(0)
    quiet, loud = (Scanner(4.0, 0.1, 4.0).image(np.full((24,) * 3, suv), (3.0,) * 3, rng).std() for suv in (1.0, 16.0))
    assert quiet == pytest.approx(0.1, rel=0.15)
    assert loud / quiet == pytest.approx(4.0, rel=0.2)


def test_noise_grows_with_the_power_that_is_asked_for():
    rng = np.random.default_rng(0)
    scanner = Scanner(4.0, 0.1, 4.0, noise_power=1.0)
    quiet, loud = (scanner.image(np.full((24,) * 3, suv), (3.0,) * 3, rng).std() for suv in (1.0, 16.0))
    assert loud / quiet == pytest.approx(16.0, rel=0.2)


def test_the_grain_may_be_finer_between_slices():
    scanner = Scanner(4.0, 0.1, 10.0, axial_grain=0.5)
    noise = scanner.image(np.full((32,) * 3, 4.0), (3.0,) * 3, np.random.default_rng(0)) - 4.0
    alike_k = np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]
    alike_i = np.corrcoef(noise[..., :-1].ravel(), noise[..., 1:].ravel())[0, 1]
    assert alike_k < alike_i - 0.1


def test_an_overshoot_brings_a_small_sphere_above_its_uptake_and_leaves_a_plain_as_it_is():
    radius = np.sqrt(((np.indices((33,) * 3) - 16.0) ** 2).sum(0))
    activity = np.where(radius < 7.5, 10.0, 1.0)
    plain, overshooting = (
        Scanner(5.0, 0.0, 4.0, overshoot=o).image(activity, (1.0,) * 3, np.random.default_rng(0)) for o in (0.0, 0.6)
    )
    assert plain.max() < 10.01
    assert 10.5 < overshooting.max() < 14
    assert overshooting[0, 0, 0] == pytest.approx(1.0, abs=0.01)


def test_the_grain_of_the_noise_is_as_fine_in_millimetres_along_every_axis():
    noise = Scanner(4.0, 0.1, 8.0).image(np.full((24, 48, 24), 4.0), (4.0, 2.0, 4.0), np.random.default_rng(0)) - 4.0
    alike_k = np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]  # 4 mm apart
    alike_j = np.corrcoef(noise[:, :-2].ravel(), noise[:, 2:].ravel())[0, 1]
    assert alike_k == pytest.approx(alike_j, abs=0.1)
    # Noise filtered by a Gaussian correlates with exp(-(distance / 2 sigma)^2) of itself.
    assert alike_k == pytest.approx(np.exp(-((4.0 / (2 * 8.0 / FWHM_PER_SIGMA)) ** 2)), abs=0.1)
