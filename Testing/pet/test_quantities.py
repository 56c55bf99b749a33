import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.quantities import PEAK_RADIUS_MM, Quantities, quantities, suv_peak, suv_peak_local
from SegAnyPETLib.volume.volume import Volume


def _volume(array_kji, spacing_ijk=(10.0, 10.0, 10.0)) -> Volume:
    return Volume(np.asarray(array_kji, np.float32), np.diag([*spacing_ijk, 1.0]))


def _mask(shape, *indices):
    mask = np.zeros(shape, bool)
    for index in indices:
        mask[index] = True
    return mask


def test_quantities_of_values_that_are_so_many_times_as_large():
    once = Quantities(volume_ml=2.0, suv_max=4.0, suv_mean=3.0, suv_peak=3.5, tlg=6.0)
    assert once.times(0.5) == Quantities(volume_ml=2.0, suv_max=2.0, suv_mean=1.5, suv_peak=1.75, tlg=3.0)


def test_volume_mean_maximum_and_glycolysis_of_two_voxels():
    pet = _volume(np.arange(8).reshape(2, 2, 2), (5.0, 4.0, 10.0))
    found = quantities(pet, _mask((2, 2, 2), (0, 0, 1), (1, 1, 0)))
    assert found.volume_ml == pytest.approx(2 * 0.2)
    assert found.suv_max == 6
    assert found.suv_mean == pytest.approx(3.5)
    assert found.tlg == pytest.approx(3.5 * 0.4)


def test_sphere_of_the_peak_holds_one_millilitre():
    assert 4 / 3 * np.pi * PEAK_RADIUS_MM**3 == pytest.approx(1000)


def test_peak_in_large_voxels_is_the_maximum():
    pet = _volume(np.arange(27).reshape(3, 3, 3))
    assert suv_peak(pet, _mask((3, 3, 3), (1, 1, 1), (0, 2, 2))) == 13


def test_peak_in_voxels_of_six_millimetres_is_the_mean_of_seven():
    array = np.zeros((5, 5, 5))
    array[2, 2, 2], array[2, 2, 3], array[1, 2, 2], array[3, 3, 2] = 7, 14, 21, 1000
    assert suv_peak(_volume(array, (6.0, 6.0, 6.0)), _mask((5, 5, 5), (2, 2, 2))) == pytest.approx((7 + 14 + 21) / 7)


def test_peak_sphere_follows_the_spacing_of_each_axis():
    array = np.zeros((3, 3, 5))
    array[1, 1, :] = [16, 1, 2, 4, 8]
    array[0, 1, 2] = array[1, 0, 2] = 1000
    # 6 mm along i reaches one voxel to either side; 10 mm along j and k reach none.
    assert suv_peak(_volume(array, (6.0, 10.0, 10.0)), _mask((3, 3, 5), (1, 1, 2))) == pytest.approx((1 + 2 + 4) / 3)


def test_peak_sphere_is_cut_at_the_border_of_the_image():
    array = np.full((3, 3, 3), 5.0)
    assert suv_peak(_volume(array, (6.0, 6.0, 6.0)), _mask((3, 3, 3), (0, 0, 0))) == pytest.approx(5)


def test_peak_centre_lies_in_the_mask_and_its_sphere_may_reach_out():
    array = np.zeros((1, 1, 7))
    array[0, 0] = [0, 0, 3, 0, 0, 900, 0]
    pet = _volume(array, (6.0, 10.0, 10.0))
    assert suv_peak(pet, _mask((1, 1, 7), (0, 0, 1))) == pytest.approx(1)
    assert suv_peak(pet, _mask((1, 1, 7), (0, 0, 1), (0, 0, 4))) == pytest.approx(300)


#: The digital phantom of the Image Biomarker Standardisation Initiative (manual, section 5.1, arXiv 1612.07003, CC BY
#: 4.0, A. Zwanenburg), voxels of 2 mm. Six voxels are not in its region of interest: a 1, the 9, and four that are 0
#: here, whatever the published file holds there; no value below depends on them.
IBSI_PHANTOM = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [1, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 9, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)


def test_digital_phantom_of_ibsi_has_its_published_values():
    pet = _volume(IBSI_PHANTOM, (2.0, 2.0, 2.0))
    mask = np.isin(IBSI_PHANTOM, (1, 3, 4, 6))
    mask[1, 2, 0] = False
    found = quantities(pet, mask)
    assert np.count_nonzero(mask) == 74
    assert found.suv_mean == pytest.approx(2.15, abs=0.005)
    assert found.suv_max == 6
    assert found.volume_ml == pytest.approx(0.592)  # 592 mm3 by counting voxels
    assert suv_peak_local(pet, mask) == pytest.approx(2.60, abs=0.005)
    assert found.suv_peak == pytest.approx(3.10, abs=0.005)


def test_local_peak_is_around_the_hottest_voxel_even_if_a_mean_elsewhere_is_higher():
    array = np.zeros((1, 1, 9))
    array[0, 0] = [0, 0, 9, 0, 0, 0, 8, 8, 8]
    pet = _volume(array, (6.0, 10.0, 10.0))
    assert suv_peak_local(pet, array > 0) == pytest.approx(3)
    assert suv_peak(pet, array > 0) == pytest.approx(8)


def test_mask_without_a_voxel_is_refused():
    with pytest.raises(InputError, match="no voxel"):
        quantities(_volume(np.ones((2, 2, 2))), np.zeros((2, 2, 2), bool))


def test_mask_of_another_shape_is_refused():
    with pytest.raises(InputError, match="does not fit"):
        quantities(_volume(np.ones((2, 2, 2))), np.ones((2, 2, 3), bool))
