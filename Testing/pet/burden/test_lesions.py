import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.burden.lesions import measured_lesions, regions_of
from SegAnyPETLib.pet.quantities import quantities, suv_peak_local
from SegAnyPETLib.volume.volume import Volume

MATRIX = np.diag([4.0, 5.0, 3.0, 1.0])


def test_values_of_a_label_map_are_lesions_though_they_touch_and_a_value_may_have_several_parts():
    labels = np.zeros((3, 4, 6), np.uint8)
    labels[1, 1, 1:3], labels[1, 1, 3:5], labels[2, 3, 5] = 7, 2, 7
    second, first = regions_of(labels)
    assert np.array_equal(first.to_array(labels.shape), labels == 7)
    assert np.array_equal(second.to_array(labels.shape), labels == 2)


def test_a_mask_with_one_value_is_split_into_parts_that_do_not_even_touch_by_a_corner():
    mask = np.zeros((3, 4, 6), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[1, 1, 3] = True
    found = regions_of(mask)
    assert [region.voxels for region in found] == [2, 1]
    assert np.array_equal(sum(region.to_array(mask.shape) for region in found), mask)


def test_lesions_are_numbered_from_the_largest_and_measured_as_in_the_whole_scan():
    rng = np.random.default_rng(0)
    pet = Volume(rng.uniform(1, 9, (12, 12, 12)).astype(np.float32), MATRIX)
    labels = np.zeros(pet.shape_kji, np.uint8)
    labels[5, 5, 5], labels[1:3, 1:3, 0:2] = 1, 2
    large, small = measured_lesions(pet, regions_of(labels), ["small", "large"])
    assert (large.number, large.name, small.number, small.name) == (1, "large", 2, "small")
    assert large.measured == quantities(pet, labels == 2)
    assert large.suv_peak_local == suv_peak_local(pet, labels == 2)
    assert small.center_ras == small.hottest_ras == (20.0, 25.0, 15.0)
    assert large.center_ras == pytest.approx((2.0, 7.5, 4.5))


def test_a_mask_without_a_lesion_is_refused():
    with pytest.raises(InputError, match="no lesion"):
        measured_lesions(Volume(np.ones((2, 2, 2), np.float32), MATRIX), regions_of(np.zeros((2, 2, 2), bool)))
