from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from SegAnyPETLib.pet.burden.lesions import measured_lesions, regions_of
from SegAnyPETLib.pet.burden.methods import COMPARED, mtv_by_method
from SegAnyPETLib.pet.burden.patient import burden_of, part_name
from SegAnyPETLib.pet.proposals.frame import BodyFrame, Place
from SegAnyPETLib.volume.io import read_image, read_labels
from Testing.pet.burden.lesion_fixtures import scan_of

FRAME = BodyFrame(shoulders_s=100.0, midline_r=55.0, middle_a=55.0)


def test_quantities_of_a_patient_are_those_of_all_lesions_together():
    _, lesions = scan_of(((1, 1, 1), 2, 6.0), ((1, 1, 7), 1, 8.0), ((11, 1, 1), 1, 4.0))
    found = burden_of(lesions, FRAME)
    assert found.lesions == 3
    assert found.mtv_ml == pytest.approx(10)
    assert found.tlg == pytest.approx(8 * 6 + 8 + 4)
    assert found.suv_max == found.suv_peak == found.suv_peak_local == 8
    assert found.suv_mean == pytest.approx(6)
    assert found.largest_ml == pytest.approx(8)


def test_distances_are_those_between_centres():
    _, lesions = scan_of(((0, 0, 0), 1, 6.0), ((0, 3, 4), 1, 8.0), ((0, 0, 8), 1, 4.0))
    found = burden_of(lesions, FRAME)
    assert found.dmax_mm == pytest.approx(80)
    assert found.spread_mm == pytest.approx(50 + 80 + 50)


def test_one_lesion_has_no_distance():
    _, lesions = scan_of(((1, 1, 1), 2, 6.0))
    found = burden_of(lesions, FRAME)
    assert (found.dmax_mm, found.spread_mm) == (0, 0)


def test_disease_is_summed_up_for_each_part_of_the_body():
    _, lesions = scan_of(((11, 1, 1), 1, 6.0), ((9, 1, 1), 1, 4.0), ((9, 1, 5), 1, 2.0))
    found = burden_of(lesions, FRAME).parts
    assert [(part.name, part.lesions, part.mtv_ml, part.tlg) for part in found] == [
        ("head and neck", 1, pytest.approx(1), pytest.approx(6)),
        ("chest", 2, pytest.approx(2), pytest.approx(6)),
    ]


@pytest.mark.parametrize(
    ("height", "name"), [(0, "head and neck"), (-1, "chest"), (-221, "abdomen"), (-680, "pelvis"), (-900, "legs")]
)
def test_parts_follow_from_the_height(height: float, name: str):
    assert part_name(Place(height, 0, 0)) == name


def test_without_shoulders_the_part_is_unknown():
    assert part_name(Place(None, 0, 0)) == "unknown"


def test_methods_give_the_volume_of_cubes_that_all_of_them_find():
    pet, lesions = scan_of(((4, 4, 4), 3, 8.0), ((14, 4, 4), 2, 6.0))
    assert mtv_by_method(pet, lesions) == {name: pytest.approx(35) for name in COMPARED}


def test_a_method_does_not_run_into_a_hot_organ_or_count_what_lies_nearer_to_another_lesion():
    pet, lesions = scan_of(((4, 4, 1), 2, 8.0), ((4, 4, 3), 2, 8.0), ((4, 4, 5), 4, 8.0))
    found = mtv_by_method(pet, lesions[1:])
    # The two small cubes, and of the organ beside them the plane of voxels within 15 mm of its neighbour.
    assert found["41%"] == pytest.approx(16 + 4 + 4)
    assert found["SUV 4"] == found["41%"]


def test_total_volume_of_a_mask_is_its_number_of_voxels():
    rng = np.random.default_rng(0)
    pet, _ = scan_of()
    mask = rng.random(pet.shape_kji) > 0.9
    found = burden_of(measured_lesions(pet, regions_of(mask)), FRAME)
    assert found.mtv_ml == pytest.approx(mask.sum())
    assert found.tlg == pytest.approx(0.5 * mask.sum())


@pytest.mark.parametrize("case", ["STS_001", "STS_020"])
def test_totals_of_a_real_sarcoma_equal_an_independent_computation(case: str, shared_data: Path):
    folder = shared_data / "sts" / case
    pet, labels = read_image(folder / "PET_image.nii.gz"), read_labels(folder / "PET_mask.nii.gz")
    found = burden_of(measured_lesions(pet, regions_of(labels.array_kji)), FRAME)
    image, mask = (sitk.ReadImage(str(folder / f"PET_{name}.nii.gz")) for name in ("image", "mask"))
    statistics = sitk.LabelStatisticsImageFilter()
    statistics.Execute(sitk.Cast(image, sitk.sitkFloat64), mask)
    volume_ml = statistics.GetCount(1) * float(np.prod(image.GetSpacing())) / 1000
    assert found.mtv_ml == pytest.approx(volume_ml)
    assert found.tlg == pytest.approx(statistics.GetMean(1) * volume_ml, rel=1e-6)
    assert found.suv_max == pytest.approx(statistics.GetMaximum(1))
