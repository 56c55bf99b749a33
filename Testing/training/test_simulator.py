"""Anatomies, lesions, uptake and scanner."""

import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.training.anatomy import analytic_organs, anatomy_from_organs, canonical_labels
from SegAnyPETLib.training.lesions import lesion_shape, lesion_uptake, smooth_noise
from SegAnyPETLib.training.painting import paint
from SegAnyPETLib.training.scanner import FWHM_PER_SIGMA, Scanner
from SegAnyPETLib.training.simulated import SimulatedWindows, revoxel
from SegAnyPETLib.training.tissues import UPTAKE_SUV, Tissue, draw_uptake
from SegAnyPETLib.volume.volume import Volume


@pytest.fixture(scope="module")
def anatomy():
    rng = np.random.default_rng(4)
    return anatomy_from_organs(analytic_organs(rng, spacing_mm=6.0), rng)


def test_a_flipped_and_permuted_organ_map_becomes_superior_anterior_right():
    array = np.zeros((2, 3, 4), dtype=np.uint8)
    array[0, 0, 3] = Tissue.LIVER
    # i runs to the left, j upwards, k to the back.
    matrix = np.array([[-2.0, 0, 0, 0], [0, 0, -4.0, 0], [0, 3.0, 0, 0], [0, 0, 0, 1]])
    labels, spacing = canonical_labels(Volume(array, matrix))
    assert labels.shape == (3, 2, 4)
    assert spacing == (3.0, 4.0, 2.0)
    assert np.argwhere(labels == Tissue.LIVER).tolist() == [[0, 1, 0]]


def test_a_body_surrounds_the_organs_and_keeps_them(anatomy):
    tissues = anatomy.tissues
    for organ in (Tissue.LIVER, Tissue.BRAIN, Tissue.BLADDER, Tissue.HEART):
        inside = tissues == organ
        assert inside.any()
        grown = np.zeros_like(inside)
        grown[1:], grown[:-1] = inside[:-1], inside[1:]
        assert not (tissues[grown] == Tissue.AIR).any()
    assert {Tissue.FAT, Tissue.SOFT, Tissue.MARROW, Tissue.BOWEL, Tissue.BLOOD} <= set(np.unique(tissues))
    assert (tissues[:, 0, 0] == Tissue.AIR).all()


@pytest.mark.parametrize("label", [0, 11, 257, -1])
def test_what_is_no_organ_map_is_refused(label):
    with pytest.raises(InputError, match="labels 1 to 10"):
        anatomy_from_organs(Volume(np.full((2, 2, 2), label, np.int32), np.eye(4)), np.random.default_rng(0))


def test_a_lesion_has_about_the_radius_asked_for_in_millimetres():
    volumes = []
    for seed in range(30):
        mask = lesion_shape((40, 40, 20), (20, 20, 10), 12.0, (2.0, 2.0, 4.0), np.random.default_rng(seed))
        assert mask[20, 20, 10]
        volumes.append(mask.sum() * 16.0)
    sphere = 4 / 3 * np.pi * 12.0**3
    assert 0.8 * sphere < np.median(volumes) < 1.8 * sphere


def test_a_cold_core_lies_in_the_middle(monkeypatch):
    monkeypatch.setattr("SegAnyPETLib.training.lesions.COLD_CORE_SHARE", 1.0)
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


def test_uptake_stays_within_its_table():
    for tracer, table in UPTAKE_SUV.items():
        drawn = draw_uptake(tracer, np.random.default_rng(0))
        assert all(low <= drawn[tissue] <= high for tissue, (low, high) in table.items())
        assert drawn[Tissue.AIR] < 0.1


def test_every_organ_is_painted_with_its_uptake(anatomy):
    uptake = draw_uptake("fdg", np.random.default_rng(0))
    activity = paint(anatomy.tissues, uptake, anatomy.spacing_mm, np.random.default_rng(1))
    for organ in (Tissue.LIVER, Tissue.BRAIN, Tissue.LUNGS):
        assert activity[anatomy.tissues == organ].mean() == pytest.approx(uptake[organ], rel=0.15)


def test_the_myocardium_surrounds_blood(anatomy):
    uptake = draw_uptake("fdg", np.random.default_rng(0))
    uptake[Tissue.HEART], uptake[Tissue.BLOOD] = 10.0, 1.0
    activity = paint(anatomy.tissues, uptake, anatomy.spacing_mm, np.random.default_rng(1), myocardium=True)
    heart = activity[anatomy.tissues == Tissue.HEART]
    assert (heart > 5).any()
    assert (heart < 2).any()


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
