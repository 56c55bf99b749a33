import numpy as np
import pytest
from scipy import ndimage

from SegAnyPETLib.pet.proposals.contrast import Contrast, contrast_of, contrast_regions
from SegAnyPETLib.pet.proposals.regions import Cut
from SegAnyPETLib.volume.volume import Volume

WANTED = Contrast(floor=1.5, min_max=1.0, min_share=0.8, fraction=0.4, min_contrast=0.4, large=Cut(1.64, 0.41, 4.0))


def scan(*balls: tuple[tuple[int, int, int], float, float]) -> Volume:
    """Soft tissue of 0.6 with balls, given by middle, radius in voxels of 5 mm and SUV; later ones on top."""
    array = np.full((60, 40, 40), 0.6, np.float32)
    indices = np.indices(array.shape)
    for middle, radius, suv in balls:
        distance = np.sqrt(sum((n - m) ** 2 for n, m in zip(indices, middle, strict=True)))
        array[distance <= radius] = suv
    return Volume(array, np.diag([5.0, 5.0, 5.0, 1.0]), "SUVbw")


ORGAN = ((18, 18, 18), 14.0, 2.4)


def test_a_faint_lesion_stands_out_and_ends_near_its_border():
    pet = scan(((45, 20, 20), 3.0, 2.4))
    (region,) = contrast_regions(pet, WANTED, 1)
    lesion = pet.array_kji > 2
    found = region.to_array(pet.shape_kji)
    assert not (found & ~ndimage.binary_dilation(lesion)).any()
    assert not (ndimage.binary_erosion(lesion) & ~found).any()


def test_what_hardly_exceeds_its_surroundings_is_left_out():
    assert contrast_regions(scan(((18, 18, 18), 14.0, 2.4), ((18, 18, 18), 3.0, 3.9)), WANTED, 1) == []


def test_an_organ_is_its_own_background_and_a_lesion_in_it_is_found():
    pet = scan(ORGAN, ((18, 18, 18), 2.0, 5.0))
    (region,) = contrast_regions(pet, WANTED, 1)
    assert np.array_equal(region.to_array(pet.shape_kji), pet.array_kji == 5)


def test_contrast_is_uptake_above_the_background_and_nothing_below_the_floor():
    pet = scan(ORGAN, ((18, 18, 18), 2.0, 5.0), ((45, 20, 20), 2.0, 2.2))
    found = contrast_of(pet, 1.5)
    assert found[18, 18, 18] == pytest.approx(5.0 - 2.4)
    assert found[45, 20, 20] == pytest.approx(2.2 - 0.6)
    assert not found[pet.array_kji < 1.5].any()


def test_a_hot_lesion_too_large_to_stand_out_is_added_as_a_whole():
    pet = scan(((25, 20, 20), 15.0, 8.0))
    (region,) = contrast_regions(pet, WANTED, 1)
    assert np.array_equal(region.to_array(pet.shape_kji), pet.array_kji == 8)


def test_what_stands_out_within_a_large_lesion_belongs_to_it():
    pet = scan(((25, 20, 20), 15.0, 8.0), ((25, 20, 20), 1.0, 10.0))
    (region,) = contrast_regions(pet, WANTED, 1)
    assert np.array_equal(region.to_array(pet.shape_kji), pet.array_kji >= 8)


def test_regions_do_not_overlap_in_noise():
    pet = scan(((25, 20, 20), 15.0, 6.0), ORGAN)
    noise = np.random.default_rng(0).lognormal(0, 0.5, pet.shape_kji)
    noisy = pet.with_array((pet.array_kji * noise).astype(np.float32), "SUVbw")
    found = contrast_regions(noisy, WANTED, 2)
    assert len(found) > 10
    counts = sum((region.to_array(pet.shape_kji).astype(int) for region in found), np.zeros(pet.shape_kji, int))
    assert counts.max() == 1
    assert min(region.voxels for region in found) >= 2


def test_a_scan_smaller_than_the_ball_is_looked_at_too():
    array = np.full((6, 8, 10), 0.5, np.float32)
    array[2:4, 3:5, 4:6] = 9
    pet = Volume(array, np.diag([4.0, 4.0, 4.0, 1.0]), "SUVbw")
    (region,) = contrast_regions(pet, WANTED, 1)
    assert region.to_array(pet.shape_kji)[3, 4, 5]
    assert contrast_regions(pet.with_array(np.full_like(array, 0.5), "SUVbw"), WANTED, 1) == []
