import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.reading import read_pet
from SegAnyPETLib.volume.io import read_image, read_labels, write_volume
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_fixtures import SUV_FACTOR, counting_voxels, write_series
from Testing.rtstruct import mask_from_rtstruct

VOXELS = counting_voxels()


def test_dicom_folder_becomes_body_weight_suv_with_the_rescale_of_each_slice(tmp_path):
    slopes = np.array([1000.0, 2000, 3000, 4000])
    write_series(tmp_path, VOXELS, slopes=list(slopes))
    pet = read_pet(tmp_path)
    assert pet.units == "SUVbw"
    assert pet.array_kji.dtype == np.float32
    np.testing.assert_allclose(pet.array_kji, VOXELS * slopes[:, None, None] * SUV_FACTOR, rtol=1e-6)


def test_private_factor_survives_reading_from_files(tmp_path):
    def edit(image, k):
        image.Units = "CNTS"
        image.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.5")

    write_series(tmp_path, VOXELS, edit=edit)
    assert np.array_equal(read_pet(tmp_path).array_kji, VOXELS * 0.5)


def test_scan_time_of_ge_survives_reading_from_files(tmp_path):
    def edit(image, k):
        image.SeriesTime = "150000"
        image.AcquisitionTime = "140000"
        image.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20200102110000")

    write_series(tmp_path, VOXELS, edit=edit)
    np.testing.assert_allclose(read_pet(tmp_path).array_kji, VOXELS * SUV_FACTOR, rtol=1e-6)


def test_file_is_taken_as_it_is(tmp_path):
    write_volume(Volume(VOXELS.astype(np.float32), np.diag([2.0, 3, 4, 1])), tmp_path / "pet.nii.gz")
    pet = read_pet(tmp_path / "pet.nii.gz")
    assert pet.units == ""
    assert np.array_equal(pet.array_kji, VOXELS)


@pytest.mark.parametrize(("value", "reason"), [(np.nan, "not numbers"), (np.inf, "not numbers")])
def test_values_that_are_not_finite_are_refused(tmp_path, value, reason):
    array = VOXELS.astype(np.float32)
    array[1, 1, 1] = value
    write_volume(Volume(array, np.eye(4)), tmp_path / "pet.nrrd")
    with pytest.raises(InputError, match=reason):
        read_pet(tmp_path / "pet.nrrd")


def test_scan_that_is_zero_everywhere_is_refused(tmp_path):
    write_series(tmp_path, np.zeros_like(VOXELS))
    with pytest.raises(InputError, match="zero everywhere"):
        read_pet(tmp_path)


def test_single_slice_of_dicom_is_refused_for_its_folder(tmp_path):
    first = write_series(tmp_path, VOXELS)[0]
    with pytest.raises(InputError, match="give the folder that holds all"):
        read_pet(first)


def test_absent_path_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"absent is not there; check the path"):
        read_pet(tmp_path / "absent")


def test_real_series_agrees_with_an_independent_conversion_voxel_by_voxel(shared_data):
    pet = read_pet(shared_data / "wholebody_fdg_dicom")
    crop = read_image(shared_data / "sts" / "STS_001" / "PET_image.nii.gz")
    part = pet.array_kji[_part_of(pet, crop)]
    assert part.max() == pytest.approx(25.41, abs=0.005)
    # The crop went through other rounding; 1e-3 is a thousandth of the SUV of blood.
    assert np.abs(part - crop.array_kji).max() < 1e-3


def test_contour_of_the_real_lesion_fills_the_mask_of_an_independent_conversion(shared_data):
    pet = read_pet(shared_data / "wholebody_fdg_dicom")
    crop = read_labels(shared_data / "sts" / "STS_001" / "PET_mask.nii.gz")
    mask = mask_from_rtstruct(shared_data / "wholebody_fdg_rtstruct" / "gtv.dcm", "GTV_Mass", pet)
    part = mask[_part_of(pet, crop)]
    assert part.sum() == mask.sum()
    assert np.array_equal(part, crop.array_kji > 0)


def _part_of(whole: Volume, crop: Volume) -> tuple[slice, slice, slice]:
    """The part of a volume that a crop with the same axes covers."""
    start = np.rint(whole.index_kji(crop.point_ras((0, 0, 0)))).astype(int)
    k, j, i = (slice(first, first + n) for first, n in zip(start, crop.shape_kji, strict=True))
    return k, j, i
