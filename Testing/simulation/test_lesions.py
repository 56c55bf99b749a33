"""Shapes and uptake of simulated lesions."""

import numpy as np
import pytest
from scipy import ndimage

from SegAnyPETLib.simulation.lesions import (
    largest_part,
    lesion_shape,
    lesion_uptake,
    smooth_noise,
    varied_suv,
    varied_uptake,
)


def test_a_lesion_has_about_the_radius_asked_for_in_millimetres():
    volumes = []
    for seed in range(30):
        mask = lesion_shape((40, 40, 20), (20, 20, 10), 12.0, (2.0, 2.0, 4.0), np.random.default_rng(seed))
        assert mask[20, 20, 10]
        volumes.append(mask.sum() * 16.0)
    sphere = 4 / 3 * np.pi * 12.0**3
    assert 0.8 * sphere < np.median(volumes) < 1.8 * sphere


def test_a_cold_core_lies_in_the_middle(monkeypatch):
    monkeypatch.setattr("SegAnyPETLib.simulation.lesions.COLD_CORE_SHARE", 1.0)
    grid = np.stack(np.meshgrid(*[np.arange(31)] * 3, indexing="ij"), -1) - 15
    mask = np.linalg.norm(grid, axis=-1) <= 13
    uptake = lesion_uptake(mask, 10.0, 26.0, (2.0, 2.0, 2.0), np.random.default_rng(1))
    rim = mask & (np.linalg.norm(grid, axis=-1) > 12)
    assert uptake[15, 15, 15] < 0.7 * np.median(uptake[rim])


def test_smooth_noise_is_alike_over_less_than_its_length_and_not_beyond():
    field = smooth_noise((64, 64, 64), 8.0, np.random.default_rng(0))
    near = np.corrcoef(field[:-1].ravel(), field[1:].ravel())[0, 1]
    far = np.corrcoef(field[:-24].ravel(), field[24:].ravel())[0, 1]
    assert near > 0.9
    assert abs(far) < 0.2
    assert field.std() == pytest.approx(1.0, abs=0.3)


def test_the_largest_part_of_a_mask_is_kept():
    mask = np.array([[[1, 0, 1, 1, 0, 1]]], bool)
    assert largest_part(mask).tolist() == [[[False, False, True, True, False, False]]]
    assert not largest_part(np.zeros((2, 2, 2), bool)).any()


def test_a_varied_lesion_is_as_uneven_as_real_ones_and_stays_near_its_uptake():
    mask = ((np.indices((32,) * 3) - 15.5) ** 2).sum(0) < 100
    host = np.ones(mask.shape, np.float32)
    values = [varied_uptake(mask, host, 8.0, (2.0,) * 3, np.random.default_rng(n))[mask] for n in range(40)]
    assert 0.25 < np.mean([v.std() / v.mean() for v in values]) < 0.5
    assert all(v.min() > 0 for v in values)


def test_a_lesion_may_fade_into_its_host(monkeypatch):
    monkeypatch.setattr("SegAnyPETLib.simulation.lesions.FADING_SHARE", 1.0)
    monkeypatch.setattr("SegAnyPETLib.simulation.lesions.NECROTIC_SHARE", 0.0)
    mask = ((np.indices((32,) * 3) - 15.5) ** 2).sum(0) < 100
    uptake = varied_uptake(mask, np.ones(mask.shape, np.float32), 8.0, (2.0,) * 3, np.random.default_rng(0))
    depth = ndimage.distance_transform_edt(mask)
    assert uptake[mask & (depth <= 1)].mean() < 0.85 * uptake[depth > 5].mean()


def test_one_lesion_in_four_is_faint():
    rng = np.random.default_rng(0)
    contrast = np.array([varied_suv(2.0, rng) / 2.0 for _ in range(400)])
    assert contrast.min() >= 1.4
    assert 0.2 < np.mean(contrast < 2.2) < 0.5
