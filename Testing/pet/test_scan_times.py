"""The time from the injection to what values are decay-corrected to."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.scan_times import injection_time, mean_decay_s, scan_start, uptake
from SegAnyPETLib.volume.dicom.header import GE
from SegAnyPETLib.volume.dicom.series import read_series
from SegAnyPETLib.volume.notes import NoteKind
from Testing.dicom_fixtures import HALF_LIFE_S, pet_slice


def _headers(count: int = 2, **tags) -> list[Dataset]:
    headers = [pet_slice(np.ones((2, 2)), (0, 0, 3.0 * k)) for k in range(count)]
    for header in headers:
        for keyword, value in tags.items():
            setattr(header if not keyword.startswith("Radio") else _dose(header), keyword, value)
    return headers


def _dose(header: Dataset) -> Dataset:
    return header.RadiopharmaceuticalInformationSequence[0]


def _start(headers: list[Dataset]) -> str:
    moments = set(scan_start(headers, HALF_LIFE_S).moments)
    assert len(moments) == 1
    return f"{moments.pop():%d %H%M%S}"


def _seconds(headers: list[Dataset]) -> float:
    """Uptake of a series without a doubt."""
    found = uptake(headers)
    assert found.notes == ()
    assert np.all(found.seconds == found.seconds[0])
    return found.seconds[0]


def _doubt(headers: list[Dataset]) -> str:
    (note,) = uptake(headers).notes
    assert note.kind is NoteKind.TIMES
    assert "\n" not in note.message
    return note.message


def _refusal(headers: list[Dataset]) -> str:
    with pytest.raises(InputError) as caught:
        uptake(headers)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_injection_the_evening_before_the_scan_spans_midnight():
    headers = _headers(SeriesTime="003000", AcquisitionTime="003000", RadiopharmaceuticalStartTime="233000")
    assert _seconds(headers) == 3600


def test_injection_date_time_counts_with_a_note_if_the_time_differs():
    headers = _headers(
        RadiopharmaceuticalStartDateTime="20200101233000.5", SeriesTime="003000", AcquisitionTime="003000"
    )
    assert uptake(headers).seconds[0] == 3599.5
    message = _doubt(headers)
    assert "RadiopharmaceuticalStartDateTime (0018,1078)" in message
    assert "RadiopharmaceuticalStartTime (0018,1072)" in message


def test_injection_date_time_days_before_goes_with_a_time():
    headers = _headers(
        RadiopharmaceuticalStartDateTime="20191230100000",
        RadionuclideHalfLife="282276",
    )
    assert _seconds(headers) == 3 * 86400 + 3600


@pytest.mark.parametrize("start", ["20200102", "202001", "2020"])
def test_injection_date_without_an_hour_counts_as_absent(start):
    assert _seconds(_headers(RadiopharmaceuticalStartDateTime=start)) == 3600


def test_injection_date_without_an_hour_is_not_enough():
    headers = _headers(RadiopharmaceuticalStartDateTime="20200102", RadiopharmaceuticalStartTime="")
    assert "lacks RadiopharmaceuticalStartTime (0018,1072)" in _refusal(headers)


def test_injection_date_time_with_an_offset_is_taken_to_the_clock_of_the_series():
    headers = _headers(RadiopharmaceuticalStartDateTime="20200102080000+0000", TimezoneOffsetFromUTC="+0200")
    assert _seconds(headers) == 3600


@pytest.mark.parametrize("start", ["20200102080000+0000", "20200102020000-0600", "20200101233000-1030"])
def test_local_time_counts_with_a_note_if_an_offset_has_nothing_to_go_with(start):
    headers = _headers(RadiopharmaceuticalStartDateTime=start)
    assert uptake(headers).seconds[0] == 3600
    assert "TimezoneOffsetFromUTC (0008,0201)" in _doubt(headers)


def test_offset_that_agrees_with_the_local_time_raises_no_doubt():
    assert _seconds(_headers(RadiopharmaceuticalStartDateTime="20200102100000+0200")) == 3600


def test_offset_is_refused_if_neither_the_series_nor_a_local_time_places_it():
    headers = _headers(RadiopharmaceuticalStartDateTime="20200102080000+0000", RadiopharmaceuticalStartTime=None)
    message = _refusal(headers)
    assert "(0018,1078)" in message
    assert "(0008,0201)" in message


def test_series_time_counts_if_it_is_not_after_the_acquisition():
    assert _start(_headers(SeriesTime="105900", AcquisitionTime="110000")) == "02 105900"


def test_series_time_long_before_the_acquisition_is_doubted():
    headers = _headers(SeriesTime="103000", AcquisitionTime="110000")
    assert _start(headers) == "02 103000"
    assert "SeriesTime (0008,0031), which counts as the start of the scan, is 30 min before" in _doubt(headers)


def test_series_time_before_the_acquisition_is_not_doubted_if_the_frames_bear_it_out():
    reference_s = 1800 + mean_decay_s(120, HALF_LIFE_S)
    headers = _headers(
        SeriesTime="103000", FrameReferenceTime=str(reference_s * 1000)[:16], ActualFrameDuration="120000"
    )
    assert _seconds(headers) == 1800


def test_start_is_computed_back_from_each_frame_if_the_series_time_is_later():
    headers = _headers(3, SeriesTime="150000", ActualFrameDuration="180000")
    for n, header in enumerate(headers):
        header.AcquisitionTime = f"1105{20 * n:02d}"
        header.FrameReferenceTime = str(1000 * (300 + 20 * n + mean_decay_s(180, HALF_LIFE_S)))[:16]
    found = uptake(headers)
    np.testing.assert_allclose(found.seconds, 3600, atol=0.01)
    assert "computed back from FrameReferenceTime (0054,1300), 5 min" in _doubt(headers)


def test_frames_that_contradict_each_other_do_not_tell_the_start():
    headers = _headers(2, SeriesTime="150000", ActualFrameDuration="180000", FrameReferenceTime="90000")
    headers[1].FrameReferenceTime = "990000"
    assert _start(headers) == "02 110000"
    assert "does not tell the start" in _doubt(headers)


@pytest.mark.parametrize("tags", [{}, {"FrameReferenceTime": "0", "ActualFrameDuration": "180000"}])
def test_earliest_acquisition_counts_with_a_note_if_the_series_time_is_later(tags):
    headers = _headers(3, SeriesTime="150000", **tags)
    headers[1].AcquisitionTime = "104000"
    assert _start(headers) == "02 104000"
    assert "the first AcquisitionTime (0008,0032) counts" in _doubt(headers)


def test_scan_time_of_ge_counts_if_the_series_time_is_later():
    headers = _headers(SeriesTime="150000", FrameReferenceTime="90000", ActualFrameDuration="180000")
    headers[0].private_block(*GE, create=True).add_new(0x0D, "DT", "20200102105000.00")
    assert _seconds(headers) == 3000


def test_series_date_counts_with_the_time():
    headers = _headers(SeriesDate="20200103", SeriesTime="001000", AcquisitionDate="20200102", AcquisitionTime="235500")
    assert _start(headers) == "02 235500"


def test_acquisition_date_that_stands_still_over_midnight_is_named():
    headers = _headers(2, SeriesTime="235000", AcquisitionTime="235000", RadiopharmaceuticalStartTime="225000")
    headers[1].AcquisitionTime = "000500"
    assert "check AcquisitionDate (0008,0022)" in _refusal(headers)


def test_injection_at_the_time_of_the_scan_is_refused():
    headers = _headers(RadiopharmaceuticalStartTime="110000")
    start = scan_start(headers, HALF_LIFE_S).moments[0]
    assert injection_time(headers[0], start, HALF_LIFE_S) == (start, ())
    assert "at the very time of the scan" in _refusal(headers)


def test_times_of_zero_are_refused():
    headers = _headers(SeriesTime="000000", AcquisitionTime="000000", RadiopharmaceuticalStartTime="000000")
    assert "check RadiopharmaceuticalStartDateTime (0018,1078)" in _refusal(headers)


def test_injection_minutes_before_the_scan_is_doubted():
    assert "only 4.0 min after the injection" in _doubt(_headers(RadiopharmaceuticalStartTime="105600"))
    assert _seconds(_headers(RadiopharmaceuticalStartTime="105500")) == 300


@pytest.mark.parametrize("hours", [4 * HALF_LIFE_S / 3600 + 0.01, 13.0, 31 * 24.0])
def test_injection_more_than_four_half_lives_before_the_scan_is_refused_naming_both(hours):
    start = np.datetime64("2020-01-02T11:00:00") - np.timedelta64(int(hours * 3600), "s")
    text = str(start).replace("-", "").replace(":", "").replace("T", "")
    message = _refusal(_headers(RadiopharmaceuticalStartDateTime=text, RadiopharmaceuticalStartTime=text[8:]))
    assert "half-lives, after the injection; check RadionuclideHalfLife (0018,1075)" in message
    assert "RadiopharmaceuticalStartTime (0018,1072)" in message


def test_injection_just_within_four_half_lives_is_taken():
    headers = _headers(RadiopharmaceuticalStartTime="034100")
    assert _seconds(headers) == 7 * 3600 + 19 * 60


def test_injection_after_the_scan_is_refused():
    headers = _headers(RadiopharmaceuticalStartDateTime="20200102120000", RadiopharmaceuticalStartTime="120000")
    assert "1.0 h after the scan; check" in _refusal(headers)


@pytest.mark.filterwarnings("ignore:Invalid value for VR TM")
def test_time_that_is_not_a_time_is_refused():
    headers = _headers()
    headers[0].SeriesTime = "ten"
    assert "SeriesTime (0008,0031) of the PET series is not a valid date or time" in _refusal(headers)


def test_reference_object_with_a_later_series_time_is_computed_back(shared_data):
    headers = read_series(shared_data / "suv_dro" / "DRO_3_2").headers
    np.testing.assert_allclose(uptake(headers).seconds, 3600, atol=1)
