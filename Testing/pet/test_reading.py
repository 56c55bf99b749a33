import numpy as np
import pytest
from pydicom.fileset import FileSet

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.reading import PetWarning, read_pet, read_scan
from SegAnyPETLib.pet.units import FileUnits, Injection, StatedUnits, stated_units, units_from_json
from SegAnyPETLib.volume.io import read_image, read_labels, write_volume
from SegAnyPETLib.volume.notes import NoteKind
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_fixtures import SUV_FACTOR, counting_voxels, write_series
from Testing.rtstruct import mask_from_rtstruct

VOXELS = counting_voxels()

#: A trunk of 40 litres and SUV 1 in air, with a spot of SUV 10.
TRUNK = np.zeros((20, 25, 30), np.float32)
TRUNK[:, 2:-2, 5:-5] = 1.0
TRUNK[10, 12, 15] = 10.0
TRUNK_MM = np.diag([19.0, 16.0, 16.0, 1.0])
BQ_PER_SUV = 4321.0


def _kinds(scan):
    return [note.kind for note in scan.notes]


def _file(folder, values, matrix=TRUNK_MM):
    write_volume(Volume(np.asarray(values, np.float32), matrix), folder / "pet.nii.gz")
    return folder / "pet.nii.gz"


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


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_within_the_body_that_are_not_finite_are_refused(tmp_path, suffix, value):
    array = np.ones((5, 5, 5), np.float32)
    array[2, 2, 2] = value
    write_volume(Volume(array, np.eye(4)), tmp_path / f"pet{suffix}")
    with pytest.raises(InputError, match=r"set them to 0|replace them"):
        read_pet(tmp_path / f"pet{suffix}")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_nan_around_the_body_counts_as_zero_with_a_note(tmp_path, suffix):
    array = np.full((5, 5, 5), np.nan, np.float32)
    array[1:4, 1:4, 1:5] = 2.0
    write_volume(Volume(array, np.eye(4)), tmp_path / f"pet{suffix}")
    scan = read_scan(tmp_path / f"pet{suffix}")
    assert np.array_equal(scan.volume.array_kji, np.nan_to_num(array))
    (note,) = scan.notes
    assert note.kind is NoteKind.VALUES
    assert "89 voxels" in note.message


def test_scan_that_is_zero_everywhere_is_refused(tmp_path):
    write_series(tmp_path, np.zeros_like(VOXELS))
    with pytest.raises(InputError, match="zero everywhere"):
        read_pet(tmp_path)


def test_suv_of_a_file_raises_no_doubt(tmp_path):
    scan = read_scan(_file(tmp_path, TRUNK))
    assert scan.notes == ()
    assert scan.volume.units == ""


@pytest.mark.parametrize("scale", [200.0, BQ_PER_SUV, 1e6])
def test_file_whose_values_cannot_be_suv_is_refused_until_the_units_are_given(tmp_path, scale):
    with pytest.raises(InputError, match=r"pet.nii.gz cannot be in SUV: .*--units"):
        read_scan(_file(tmp_path, TRUNK * scale))


def test_becquerels_of_a_lesion_cut_out_are_refused_too(tmp_path):
    with pytest.raises(InputError, match="cannot be in SUV"):
        read_scan(_file(tmp_path, TRUNK[8:13, 9:15, 12:18] * BQ_PER_SUV, np.diag([3.0, 3.0, 3.0, 1.0])))


@pytest.mark.parametrize("scale", [0.01, 4.321])
def test_values_unusual_for_suv_are_doubted(tmp_path, scale):
    scan = read_scan(_file(tmp_path, TRUNK * scale))
    assert _kinds(scan) == [NoteKind.ACTIVITY]
    assert "--units" in scan.notes[0].message


def test_tomogram_is_refused(tmp_path):
    with pytest.raises(InputError, match="negative on the whole"):
        read_scan(_file(tmp_path, np.where(TRUNK > 0, 40.0, -1000.0)))


def test_becquerels_become_suv_by_weight_dose_and_uptake_time(tmp_path):
    weight_kg, dose_mbq, uptake_min = 70.0, 350.0, 60.0
    factor = 70000 / (350e6 * 2 ** (-3600 / 6586.2))
    scan = read_scan(
        _file(tmp_path, TRUNK / factor), StatedUnits(FileUnits.BQML, Injection(weight_kg, dose_mbq, uptake_min))
    )
    assert scan.notes == ()
    assert scan.volume.units == "SUVbw"
    np.testing.assert_allclose(scan.volume.array_kji, TRUNK, rtol=1e-5)


def test_becquerels_corrected_to_the_injection_have_no_uptake_time(tmp_path):
    scan = read_scan(_file(tmp_path, TRUNK * 5000), StatedUnits(FileUnits.BQML, Injection(70.0, 350.0, 0.0)))
    np.testing.assert_allclose(scan.volume.array_kji, TRUNK, rtol=1e-6)
    assert scan.notes == ()


@pytest.mark.parametrize(
    ("injection", "named"),
    [
        (Injection(70000.0, 350.0, 60.0), "--weight-kg"),
        (Injection(70.0, 350e6, 60.0), "--dose-mbq"),
        (Injection(70.0, 0.35, 60.0), "--dose-mbq"),
        (Injection(70.0, 350.0, 3600.0), "--uptake-min"),
        (Injection(70.0, 350.0, -60.0), "--uptake-min"),
        (Injection(70.0, 350.0, 60.0, 6586.2), "--half-life-min"),
        (Injection(70.0, 350.0, 60.0, 1.83), "--half-life-min"),
        (Injection(70.0, 35.0, 60.0), "% of the dose"),
    ],
)
def test_values_of_an_injection_that_cannot_be_right_are_refused_by_the_option(tmp_path, injection, named):
    with pytest.raises(InputError, match=named):
        read_scan(_file(tmp_path, TRUNK * 3400), StatedUnits(FileUnits.BQML, injection))


def test_file_said_to_be_suv_is_suv(tmp_path):
    scan = read_scan(_file(tmp_path, TRUNK), StatedUnits(FileUnits.SUV))
    assert scan.volume.units == "SUVbw"
    with pytest.raises(InputError, match="check --units"):
        read_scan(_file(tmp_path, TRUNK * BQ_PER_SUV), StatedUnits(FileUnits.SUV))


def test_units_and_injection_go_together(tmp_path):
    for numbers in ((), (70.0,), (70.0, 350.0), (None, 350.0, 60.0)):
        with pytest.raises(InputError, match="--units bqml needs"):
            stated_units("bqml", *numbers)
    for units in (None, "suv"):
        for numbers in ((70.0,), (None, None, None, 67.7)):
            with pytest.raises(InputError, match="add --units bqml"):
                stated_units(units, *numbers)
    with pytest.raises(InputError, match="kbqml are not known; use one of suv, bqml"):
        stated_units("kbqml")
    assert stated_units("bqml", 70.0, 350.0, 60.0, 67.7).injection == Injection(70.0, 350.0, 60.0, 67.7)
    write_series(tmp_path / "dicom", VOXELS)
    with pytest.raises(InputError, match="leave --units out"):
        read_scan(tmp_path / "dicom", stated_units("suv"))


def test_case_of_a_list_states_its_units():
    case = {"id": "a", "units": "bqml", "weight_kg": 70, "dose_mbq": 350.0, "uptake_min": 60}
    assert units_from_json(case) == stated_units("bqml", 70, 350.0, 60)
    assert units_from_json({"id": "a"}) == StatedUnits()
    for wrong in ({"units": 3}, {"units": "bqml", "weight_kg": "70"}, {"units": "bqml", "weight_kg": True}):
        with pytest.raises(InputError, match="must be"):
            units_from_json({"id": "a", **wrong})


def test_notes_become_warnings_of_a_category_of_their_own(tmp_path):
    write_series(tmp_path, VOXELS)
    (note,) = read_scan(tmp_path).notes
    assert note.kind is NoteKind.ACTIVITY
    with pytest.warns(PetWarning, match="of the dose is in view"):
        read_pet(tmp_path)


def test_rescale_intercept_is_refused(tmp_path):
    write_series(tmp_path, VOXELS, edit=lambda image, k: setattr(image, "RescaleIntercept", "-5" if k == 2 else "0"))
    with pytest.raises(InputError, match="RescaleIntercept"):
        read_scan(tmp_path)


def test_what_was_assumed_of_a_series_is_told_with_the_scan(tmp_path):
    def edit(image, k):
        image.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = "350"

    write_series(tmp_path, VOXELS, edit=edit)
    scan = read_scan(tmp_path)
    assert scan.assumed == (
        "RadionuclideTotalDose (0018,1074) of 350 is in MBq",
        "reference time by SeriesTime (0008,0031), 60.0 min after the injection",
    )
    assert scan.body is not None
    assert scan.body.weight_kg == 70


def test_part_of_a_dicom_series_is_refused_for_its_folder(tmp_path):
    (tmp_path / "image.dcm").write_bytes(bytes(200))
    with pytest.raises(InputError, match="give the folder that holds all"):
        read_scan(tmp_path / "image.dcm")


@pytest.mark.filterwarnings("ignore")  # of pydicom, on tags that it adds to the directory
def test_dicomdir_stands_for_what_lies_beside_and_beneath_it(tmp_path):
    def edit(image, k):
        image.StudyDate, image.StudyTime, image.StudyID = "20200102", "110000", "1"
        image.SeriesNumber, image.InstanceNumber = 1, k + 1

    medium = FileSet()
    for path in write_series(tmp_path / "source", VOXELS, edit=edit):
        medium.add(path)
    medium.write(tmp_path / "medium")
    scan = read_scan(tmp_path / "medium" / "DICOMDIR")
    np.testing.assert_allclose(scan.volume.array_kji, VOXELS * SUV_FACTOR, rtol=1e-6)


def test_dicomdir_without_images_is_refused(tmp_path):
    (tmp_path / "DICOMDIR").write_bytes(bytes(200))
    with pytest.raises(InputError, match="no DICOM PET images"):
        read_scan(tmp_path / "DICOMDIR")


def test_series_is_chosen_and_which_one_was_read_unasked_is_noted(tmp_path):
    def of_head(image, k):
        image.SeriesTime, image.SeriesDescription = "110500", "HEAD"

    write_series(tmp_path / "body", VOXELS, series="body")
    write_series(tmp_path / "head", 2 * VOXELS[:3], series="head", edit=of_head)
    body, head = read_scan(tmp_path), read_scan(tmp_path, series="2")
    assert body.volume.shape_kji[0] == 4
    assert head.volume.shape_kji[0] == 3
    told = next(note for note in body.notes if note.kind is NoteKind.SERIES)
    assert told.message.startswith("of 2 PET series number 1 was read (no description, 4 slices")
    assert NoteKind.SERIES not in _kinds(head)
    assert NoteKind.SERIES not in _kinds(read_scan(tmp_path / "body"))


def test_series_of_an_image_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="leave --series out"):
        read_scan(_file(tmp_path, TRUNK), series="1")


def test_whole_body_scan_raises_no_doubt(shared_data):
    assert read_scan(shared_data / "wholebody_fdg_dicom").notes == ()


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
