"""The time from the injection to what values are decay-corrected to."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.suv.decay import mean_decay_s
from SegAnyPETLib.pet.suv.injection_time import InjectionTime, injection_time
from SegAnyPETLib.pet.suv.reference_time import reference_time
from SegAnyPETLib.pet.suv.uptake import uptake
from SegAnyPETLib.volume.dicom.header import GE, SIEMENS
from SegAnyPETLib.volume.dicom.series import read_series
from SegAnyPETLib.volume.notes import NoteKind
from Testing.dicom_fixtures import HALF_LIFE_S
from Testing.pet.suv.headers import add_private, headers


def _start(series: list[Dataset]) -> str:
    moments = set(reference_time(series, HALF_LIFE_S).way.moments)
    assert len(moments) == 1
    return f"{moments.pop():%d %H%M%S}"


def _seconds(series: list[Dataset]) -> float:
    """Uptake of a series without a doubt."""
    found = uptake(series)
    assert found.notes == ()
    assert np.all(found.seconds == found.seconds[0])
    return found.seconds[0]


def _doubt(series: list[Dataset]) -> str:
    (note,) = uptake(series).notes
    assert note.kind is NoteKind.TIMES
    assert "\n" not in note.message
    return note.message


def _refusal(series: list[Dataset]) -> str:
    with pytest.raises(InputError) as caught:
        uptake(series)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_injection_the_evening_before_the_scan_spans_midnight():
    series = headers(SeriesTime="003000", AcquisitionTime="003000", RadiopharmaceuticalStartTime="233000")
    assert _seconds(series) == 3600


def test_injection_date_time_counts_with_a_note_if_the_time_differs():
    series = headers(RadiopharmaceuticalStartDateTime="20200101233000.5", SeriesTime="003000", AcquisitionTime="003000")
    assert uptake(series).seconds[0] == 3599.5
    message = _doubt(series)
    assert "RadiopharmaceuticalStartDateTime (0018,1078)" in message
    assert "RadiopharmaceuticalStartTime (0018,1072)" in message


def test_injection_date_time_days_before_goes_with_a_time():
    series = headers(
        RadiopharmaceuticalStartDateTime="20191230100000",
        RadionuclideHalfLife="282276",
    )
    assert _seconds(series) == 3 * 86400 + 3600


@pytest.mark.parametrize("start", ["20200102", "202001", "2020"])
def test_injection_date_without_an_hour_counts_as_absent(start):
    assert _seconds(headers(RadiopharmaceuticalStartDateTime=start)) == 3600


def test_injection_date_without_an_hour_is_not_enough():
    series = headers(RadiopharmaceuticalStartDateTime="20200102", RadiopharmaceuticalStartTime="")
    assert "lacks RadiopharmaceuticalStartTime (0018,1072)" in _refusal(series)


def test_injection_date_time_with_an_offset_is_taken_to_the_clock_of_the_series():
    series = headers(RadiopharmaceuticalStartDateTime="20200102080000+0000", TimezoneOffsetFromUTC="+0200")
    assert _seconds(series) == 3600


@pytest.mark.parametrize("start", ["20200102080000+0000", "20200102020000-0600", "20200101233000-1030"])
def test_local_time_counts_with_a_note_if_an_offset_has_nothing_to_go_with(start):
    series = headers(RadiopharmaceuticalStartDateTime=start)
    assert uptake(series).seconds[0] == 3600
    assert "TimezoneOffsetFromUTC (0008,0201)" in _doubt(series)


def test_offset_that_agrees_with_the_local_time_raises_no_doubt():
    assert _seconds(headers(RadiopharmaceuticalStartDateTime="20200102100000+0200")) == 3600


def test_offset_is_refused_if_neither_the_series_nor_a_local_time_places_it():
    series = headers(RadiopharmaceuticalStartDateTime="20200102080000+0000", RadiopharmaceuticalStartTime=None)
    message = _refusal(series)
    assert "(0018,1078)" in message
    assert "(0008,0201)" in message


def test_series_time_counts_if_it_is_not_after_the_acquisition():
    assert _start(headers(SeriesTime="105900", AcquisitionTime="110000")) == "02 105900"


def test_series_time_long_before_the_acquisition_is_doubted():
    series = headers(SeriesTime="103000", AcquisitionTime="110000")
    assert _start(series) == "02 103000"
    message = _doubt(series)
    assert "SeriesTime (0008,0031) puts it 30.0 min after the injection, which counts" in message
    assert "by the first AcquisitionTime (0008,0032) it is 60.0 min, and SUV would be 1.21 times as large" in message


def test_series_time_before_the_acquisition_is_not_doubted_if_the_frames_bear_it_out():
    reference_s = 1800 + mean_decay_s(120, HALF_LIFE_S)
    series = headers(SeriesTime="103000", FrameReferenceTime=str(reference_s * 1000)[:16], ActualFrameDuration="120000")
    assert _seconds(series) == 1800


def test_start_is_computed_back_from_each_frame_if_the_series_time_is_later():
    series = headers(3, SeriesTime="150000", ActualFrameDuration="180000")
    for n, header in enumerate(series):
        header.AcquisitionTime = f"1105{20 * n:02d}"
        header.FrameReferenceTime = str(1000 * (300 + 20 * n + mean_decay_s(180, HALF_LIFE_S)))[:16]
    found = uptake(series)
    np.testing.assert_allclose(found.seconds, 3600, atol=0.01)
    message = _doubt(series)
    assert "the computation back from FrameReferenceTime (0054,1300) puts it 60.0 min after the injection" in message
    assert "by the first AcquisitionTime (0008,0032) it is 65.0 min" in message


def test_frames_that_contradict_each_other_do_not_tell_the_start():
    series = headers(2, SeriesTime="150000", ActualFrameDuration="180000", FrameReferenceTime="90000")
    series[1].FrameReferenceTime = "990000"
    assert _start(series) == "02 110000"
    assert "does not tell the start" in _doubt(series)


@pytest.mark.parametrize("tags", [{}, {"FrameReferenceTime": "0", "ActualFrameDuration": "180000"}])
def test_earliest_acquisition_counts_with_a_note_if_the_series_time_is_later(tags):
    series = headers(3, SeriesTime="150000", **tags)
    series[1].AcquisitionTime = "104000"
    assert _start(series) == "02 104000"
    message = _doubt(series)
    assert "does not tell the start of the scan: the first AcquisitionTime (0008,0032) puts it 40.0 min" in message
    assert "by SeriesTime (0008,0031) it is 300.0 min" in message


def test_scan_time_of_ge_counts_if_the_series_time_is_later():
    series = headers(SeriesTime="150000", FrameReferenceTime="90000", ActualFrameDuration="180000")
    add_private(series[0], GE, 0x0D, "DT", "20200102105000.00")
    assert uptake(series).seconds[0] == 3000
    assert "GE's private scan time (0009,100d) puts it 50.0 min after the injection, which counts" in _doubt(series)


def test_series_date_counts_with_the_time():
    series = headers(SeriesDate="20200103", SeriesTime="001000", AcquisitionDate="20200102", AcquisitionTime="235500")
    assert _start(series) == "02 235500"


def test_acquisition_date_that_stands_still_over_midnight_is_named():
    series = headers(2, SeriesTime="235000", AcquisitionTime="235000", RadiopharmaceuticalStartTime="225000")
    series[1].AcquisitionTime = "000500"
    assert "check AcquisitionDate (0008,0022)" in _refusal(series)


def test_injection_at_the_time_of_the_scan_is_refused():
    series = headers(RadiopharmaceuticalStartTime="110000")
    start = reference_time(series, HALF_LIFE_S).way.moments[0]
    assert injection_time(series[0], start, HALF_LIFE_S) == InjectionTime(start)
    assert "at the very time of the scan" in _refusal(series)


def test_times_of_zero_are_refused():
    series = headers(SeriesTime="000000", AcquisitionTime="000000", RadiopharmaceuticalStartTime="000000")
    assert "check RadiopharmaceuticalStartDateTime (0018,1078)" in _refusal(series)


def test_injection_minutes_before_the_scan_is_doubted():
    assert "only 4.0 min after the injection" in _doubt(headers(RadiopharmaceuticalStartTime="105600"))
    assert _seconds(headers(RadiopharmaceuticalStartTime="105500")) == 300


@pytest.mark.parametrize("hours", [4 * HALF_LIFE_S / 3600 + 0.01, 13.0, 31 * 24.0])
def test_injection_more_than_four_half_lives_before_the_scan_is_refused_naming_both(hours):
    start = np.datetime64("2020-01-02T11:00:00") - np.timedelta64(int(hours * 3600), "s")
    text = str(start).replace("-", "").replace(":", "").replace("T", "")
    message = _refusal(headers(RadiopharmaceuticalStartDateTime=text, RadiopharmaceuticalStartTime=text[8:]))
    assert "half-lives, after the injection; check RadionuclideHalfLife (0018,1075)" in message
    assert "RadiopharmaceuticalStartTime (0018,1072)" in message


def test_injection_just_within_four_half_lives_is_taken():
    series = headers(RadiopharmaceuticalStartTime="034100")
    assert _seconds(series) == 7 * 3600 + 19 * 60


def test_injection_after_the_scan_is_refused():
    series = headers(RadiopharmaceuticalStartDateTime="20200102120000", RadiopharmaceuticalStartTime="120000")
    assert "1.0 h after the scan; check" in _refusal(series)


@pytest.mark.filterwarnings("ignore:Invalid value for VR TM")
def test_time_that_is_not_a_time_is_refused():
    series = headers()
    series[0].SeriesTime = "ten"
    assert "SeriesTime (0008,0031) of the PET series is not a valid date or time" in _refusal(series)


@pytest.mark.parametrize(("vr", "value"), [("DT", "20200102105900"), ("UN", b"20200102105900.000000 ")])
@pytest.mark.parametrize(("owner", "offset"), [(GE, 0x0D), (SIEMENS, 0x22)])
def test_private_time_counts_without_its_owners_name(owner, offset, vr, value):
    # DRO_3_3 of IBSI has no private creator.
    series = headers(SeriesTime="150000")
    series[0].add_new((owner[0], 0x1000 + offset), vr, value)
    assert _seconds(series) == 3540


@pytest.mark.parametrize("value", ["yesterday", "20200102170000"])
def test_private_time_that_cannot_be_the_start_does_not_count(value):
    series = headers(SeriesTime="150000")
    series[0].add_new((GE[0], 0x100D), "LO", value)
    assert _start(series) == "02 110000"


def test_series_time_of_siemens_that_its_private_time_confirms_raises_no_doubt():
    series = headers(SeriesTime="103000")
    add_private(series[0], SIEMENS, 0x22, "DT", "20200102103000")
    assert _seconds(series) == 1800


def test_two_ways_that_disagree_are_both_told():
    # 1 % of SUV is 95 s of F-18: frames that say 11:02 against a series of 11:00.
    reference_s = mean_decay_s(120, HALF_LIFE_S)
    series = headers(
        AcquisitionTime="110200", FrameReferenceTime=f"{reference_s * 1000:.6f}", ActualFrameDuration="120000"
    )
    message = _doubt(series)
    assert "SeriesTime (0008,0031) puts it 60.0 min after the injection, which counts" in message
    assert (
        "by the computation back from FrameReferenceTime (0054,1300) it is 62.0 min, and SUV would be 1.01 times as "
        "large" in message
    )
    for header in series:
        header.AcquisitionTime = "110130"
    assert _seconds(series) == 3600


def test_frames_of_ge_are_counted_to_their_begin():
    # DRO_3_2_1 of IBSI, and so MITK and MIRP: start = acquisition - FrameReferenceTime, 0 for the first bed.
    series = headers(3, Manufacturer="GE MEDICAL SYSTEMS", SeriesTime="150000")
    for n, header in enumerate(series):
        header.AcquisitionTime, header.FrameReferenceTime = f"110{n}00", str(60000 * n)
    assert _seconds(series) == 3600
    assert "FrameReferenceTime (0054,1300)" in uptake(series).assumed[0]


def test_frames_without_decay_correction_that_contradict_their_reference_time_are_doubted():
    series = headers(2, DecayCorrection="NONE", ActualFrameDuration="180000", FrameReferenceTime="90000")
    assert uptake(series).notes == ()
    series[1].FrameReferenceTime = "690000"  # the acquisition time stood still from bed to bed
    assert "disagree by 10.0 min about when slices were taken, 7 % of SUV" in _doubt(series)


@pytest.mark.parametrize("date", ["19000101", "20200103", "20210630"])
@pytest.mark.parametrize("clock", [None, "100000.00"])
def test_date_of_the_injection_that_an_anonymiser_left_is_that_of_the_scan(date, clock):
    # DRO_4_4 of IBSI: dates of the scan were shifted, that of the injection was not.
    series = headers(RadiopharmaceuticalStartDateTime=f"{date}100000", RadiopharmaceuticalStartTime=clock)
    assert uptake(series).seconds[0] == 3600
    assert "the date of RadiopharmaceuticalStartDateTime (0018,1078) cannot be that of this scan" in _doubt(series)
    assert "the injection's date is that of the scan" in uptake(series).assumed


def test_date_of_the_injection_of_a_long_lived_nuclide_is_never_moved():
    # DRO_error_4_2 of IBSI.
    series = headers(
        RadiopharmaceuticalStartDateTime="19000101100000",
        RadiopharmaceuticalStartTime=None,
        RadionuclideHalfLife="282276",
    )
    assert "half-lives, after the injection" in _refusal(series)


def test_day_before_is_told_as_assumed():
    series = headers(SeriesTime="003000", AcquisitionTime="003000", RadiopharmaceuticalStartTime="233000")
    assert "injection the day before the scan" in uptake(series).assumed


def test_long_lived_nuclide_without_the_day_of_its_injection_is_refused():
    # DRO_error_4_1 of IBSI: Zr-89 is scanned days after the injection.
    message = _refusal(headers(RadionuclideHalfLife="282276"))
    assert "lacks RadiopharmaceuticalStartDateTime (0018,1078), and a half-life of 78 h leaves the day" in message


def test_reference_object_with_a_later_series_time_is_computed_back(shared_data):
    found = uptake(read_series(shared_data / "suv_dro" / "DRO_3_2").headers)
    np.testing.assert_allclose(found.seconds, 3600, atol=1)
