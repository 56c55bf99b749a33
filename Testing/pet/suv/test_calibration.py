"""Counts and counts per second become Bq/ml by the rules of IBSI's manual."""

import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.suv.calibration import to_bqml
from SegAnyPETLib.volume.dicom.header import PHILIPS
from Testing.pet.suv.headers import add_private, headers

#: Of `headers`: 5 x 4 x 3 mm.
VOXEL_ML = 0.06
CALIBRATED = ["DECY", "ATTN", "DCAL"]


def test_activity_is_taken_as_it_is():
    found = to_bqml(headers(3), "BQML")
    assert np.array_equal(found.per_slice, [1, 1, 1])
    assert found.assumed == ()


def test_calibrated_counts_per_second_are_divided_by_the_voxels_volume():
    found = to_bqml(headers(CorrectedImage=CALIBRATED), "CPS")
    np.testing.assert_allclose(found.per_slice, 1 / VOXEL_ML)
    assert found.assumed == ("counts/s over the voxel's 0.06 ml, calibrated (DCAL), are Bq/ml",)


def test_other_counts_per_second_are_multiplied_by_the_dose_calibration_too():
    series = headers(DoseCalibrationFactor="3.5")
    series[1].DoseCalibrationFactor = "7"
    found = to_bqml(series, "CPS")
    np.testing.assert_allclose(found.per_slice, np.array([3.5, 7]) / VOXEL_ML)
    assert found.assumed == ("counts/s over the voxel's 0.06 ml times DoseCalibrationFactor (0054,1322) are Bq/ml",)


def test_counts_without_a_factor_of_philips_are_divided_by_the_frames_duration():
    series = headers(CorrectedImage=CALIBRATED, ActualFrameDuration="120000")
    series[1].ActualFrameDuration = "60000"
    found = to_bqml(series, "CNTS")
    np.testing.assert_allclose(found.per_slice, 1 / VOXEL_ML / np.array([120, 60]))
    assert found.assumed[0] == "counts over the frame's duration are counts/s"


def test_philips_factor_to_activity_counts_before_the_frames_duration():
    series = headers(CorrectedImage=CALIBRATED, ActualFrameDuration="120000")
    for header in series:
        add_private(header, PHILIPS, 0x09, "DS", "2.5")
    assert np.array_equal(to_bqml(series, "CNTS").per_slice, [2.5, 2.5])


@pytest.mark.parametrize(
    ("units", "tags", "named"),
    [
        ("CPS", {}, r"need DoseCalibrationFactor \(0054,1322\), or DCAL"),
        ("CPS", {"DoseCalibrationFactor": "-1"}, "is not above zero"),
        ("CNTS", {"ActualFrameDuration": "120000"}, r"\(7053,1000\).*DoseCalibrationFactor \(0054,1322\)"),
        ("CNTS", {"CorrectedImage": CALIBRATED}, r"\(7053,1009\).*lacks ActualFrameDuration \(0018,1242\)"),
        ("CNTS", {"CorrectedImage": CALIBRATED, "ActualFrameDuration": "-1"}, "is not above zero"),
    ],
)
def test_rate_that_cannot_be_calibrated_is_refused_for_its_reason(units, tags, named):
    with pytest.raises(InputError, match=named):
        to_bqml(headers(**tags), units)


def test_calibration_of_some_slices_alone_is_refused():
    series = headers(3, DoseCalibrationFactor="2")
    series[1].CorrectedImage = CALIBRATED
    with pytest.raises(InputError, match="only some slices"):
        to_bqml(series, "CPS")
