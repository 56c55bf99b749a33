import numpy as np
import pytest
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.suv.factors import suv_factors
from SegAnyPETLib.pet.suv.uptake import uptake
from SegAnyPETLib.volume.dicom.header import PHILIPS, without_identifiers
from SegAnyPETLib.volume.dicom.series import read_series
from SegAnyPETLib.volume.notes import NoteKind
from Testing.dicom_fixtures import DOSE_BQ, SUV_FACTOR, WEIGHT_KG
from Testing.pet.suv.headers import add_private, dose, headers


def _refusal(series: list[Dataset]) -> str:
    with pytest.raises(InputError) as caught:
        suv_factors(series)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_values_corrected_to_the_start_of_the_scan_use_the_decayeddose():
    # 70 kg, 350 MBq of F-18, one hour: 350e6 * 2^(-3600/6588) = 239.6e6 Bq left.
    np.testing.assert_allclose(
        suv_factors(headers(3)).per_slice, [70000 / (350e6 * 2 ** (-3600 / 6588))] * 3, rtol=1e-12
    )
    assert suv_factors(headers()).per_slice[0] == pytest.approx(SUV_FACTOR)


def test_values_corrected_to_the_injection_use_the_wholedose():
    assert suv_factors(headers(DecayCorrection="ADMIN")).per_slice[0] == pytest.approx(WEIGHT_KG * 1000 / DOSE_BQ)


def test_values_corrected_to_the_injection_need_no_times():
    series = headers(DecayCorrection="ADMIN")
    for header in series:
        del header.SeriesTime, header.AcquisitionTime, dose(header).RadionuclideHalfLife
    assert suv_factors(series).per_slice[0] == pytest.approx(WEIGHT_KG * 1000 / DOSE_BQ)


def test_values_in_grams_per_ml_are_suv():
    assert np.array_equal(suv_factors(headers(Units="GML")).per_slice, [1, 1])
    assert np.array_equal(suv_factors(headers(Units="GML", SUVType="BW")).per_slice, [1, 1])


#: 70 kg and 1.75 m: mass in kg, or surface in 10 cm2, by the formula of the type, for men and women.
MASS_KG = {
    "LBM": (1.10 * 70 - 120 * 0.4**2, 1.07 * 70 - 148 * 0.4**2),
    "LBMJAMES128": (1.10 * 70 - 128 * 0.4**2, 1.07 * 70 - 148 * 0.4**2),
    "LBMJANMA": (9270 * 70 / (6680 + 216 * 70 / 1.75**2), 9270 * 70 / (8780 + 244 * 70 / 1.75**2)),
    "IBW": (48.0 + 1.06 * 23, 45.5 + 0.91 * 23),
}


@pytest.mark.parametrize("kind", MASS_KG)
@pytest.mark.parametrize("sex", ["M", "F", "O"])
def test_suv_of_another_mass_is_turned_back_to_body_weight(kind, sex):
    men, women = MASS_KG[kind]
    mass_kg = {"M": men, "F": women, "O": (men + women) / 2}[sex]
    factors = suv_factors(headers(Units="GML", SUVType=kind, PatientSize="1.75", PatientSex=sex))
    np.testing.assert_allclose(factors.per_slice, 70 / mass_kg, rtol=1e-12)
    assert factors.notes == ()
    mean = ("PatientSex (0010,0040) O: the mean of men and women",) if sex == "O" else ()
    assert factors.assumed == (f"SUV of type {kind} turned back to body weight", *mean)


@pytest.mark.parametrize("tags", [{}, {"SUVType": "BSA"}])
def test_suv_of_the_body_surface_is_turned_back_to_body_weight(tags):
    factors = suv_factors(headers(Units="CM2ML", PatientSize="1.75", **tags))
    surface_cm2 = 0.007184 * 175**0.725 * 70**0.425 * 1e4
    np.testing.assert_allclose(factors.per_slice, 70000 / surface_cm2, rtol=1e-12)


@pytest.mark.parametrize(("units", "kind"), [("GML", "BSA"), ("CM2ML", "BW"), ("CM2ML", "IBW"), ("GML", "LEAN")])
def test_suv_of_a_type_that_does_not_go_with_the_units_is_refused(units, kind):
    message = _refusal(headers(Units=units, SUVType=kind, PatientSize="1.75", PatientSex="M"))
    assert f"type {kind}, SUVType (0054,1006), in Units (0054,1001) {units}" in message


def test_counts_take_the_suv_factor_of_philips_slice_by_slice():
    series = headers(Units="CNTS")
    for header, factor in zip(series, ("0.001", "0.002"), strict=True):
        add_private(header, PHILIPS, 0x00, "DS", factor)
        add_private(header, PHILIPS, 0x09, "DS", "3")
    assert np.array_equal(suv_factors(series).per_slice, [0.001, 0.002])


def test_counts_take_the_activity_factor_of_philips_where_the_suv_factor_is_zero():
    series = headers(Units="CNTS")
    for header in series:
        add_private(header, PHILIPS, 0x00, "DS", "0")
        add_private(header, PHILIPS, 0x09, "DS", "2.5")
    np.testing.assert_allclose(suv_factors(series).per_slice, 2.5 * SUV_FACTOR)


def test_counts_without_the_factors_of_philips_are_refused():
    message = _refusal(headers(Units="CNTS"))
    assert "(7053,1000)" in message
    assert "(7053,1009)" in message


@pytest.mark.parametrize(("offset", "expected"), [(0x00, 0.5), (0x09, 0.5 * SUV_FACTOR)])
@pytest.mark.parametrize(("vr", "value"), [("DS", "0.5"), ("UN", b"0.5 ")])
def test_factors_of_philips_count_without_their_owners_name(offset, expected, vr, value):
    # The private creator is often lost on the way: DRO_2_4 and DRO_2_5 of IBSI.
    series = headers(Units="CNTS")
    for header in series:
        header.add_new((0x7053, 0x1000 + offset), vr, value)
    factors = suv_factors([without_identifiers(header) for header in series])
    np.testing.assert_allclose(factors.per_slice, expected, rtol=1e-6)
    assert "Philips' factors at their usual place, without their owner's name" in factors.assumed


def test_factors_of_philips_on_some_slices_alone_are_refused():
    series = headers(3, Units="CNTS")
    for header in series[:2]:
        add_private(header, PHILIPS, 0x00, "DS", "0.5")
    assert "some slices lack Philips' factors (7053,1000) and (7053,1009)" in _refusal(series)


def test_private_element_of_another_creator_is_not_taken():
    series = headers(Units="CNTS")
    for header in series:
        add_private(header, (0x7053, "Somebody else"), 0x00, "DS", "0.001")
    assert "(7053,1000)" in _refusal(series)


@pytest.mark.parametrize("units", ["PROPCNTS", "PROPCPS", "1CM"])
def test_units_that_are_no_activity_are_refused_saying_so(units):
    message = _refusal(headers(Units=units))
    assert f"values in Units (0054,1001) {units} give no SUV" in message
    assert ("no activity" if units == "1CM" else "by a factor that no tag holds") in message


@pytest.mark.parametrize("units", ["PCNT", "NONE"])
def test_other_units_are_refused(units):
    assert f"Units (0054,1001) {units}" in _refusal(headers(Units=units))


@pytest.mark.parametrize("correction", ["SOMETIME", "TO"])
def test_other_decay_correction_is_refused(correction):
    assert f"{correction} of DecayCorrection (0054,1102)" in _refusal(headers(DecayCorrection=correction))


def test_values_without_decay_correction_decay_slice_by_slice():
    # IBSI: SUV = P W / D * lT / (1 - exp(-lT)) * exp(l (acquisition - injection)); a later bed has decayed further.
    series = headers(2, DecayCorrection="NONE", CorrectedImage=["ATTN"], ActualFrameDuration="180000")
    series[1].AcquisitionTime = "111000"
    rate = np.log(2) / 6588
    mean = rate * 180 / (1 - np.exp(-rate * 180))
    expected = 70000 / 350e6 * mean * np.exp(rate * np.array([3600, 4200]))
    factors = suv_factors(series)
    np.testing.assert_allclose(factors.per_slice, expected, rtol=1e-9)
    assert factors.notes == ()
    assert "AcquisitionTime (0008,0032) and ActualFrameDuration (0018,1242) of each slice" in factors.assumed[0]
    assert "61.5 to 71.5 min after the injection" in factors.assumed[0]


def test_values_without_decay_correction_need_the_duration_of_the_frame():
    series = headers(DecayCorrection="NONE", CorrectedImage=["ATTN"])
    assert "lacks ActualFrameDuration (0018,1242)" in _refusal(series)


def test_tags_that_contradict_each_other_about_the_decay_are_doubted():
    series = headers(DecayCorrection="NONE", ActualFrameDuration="180000")  # CorrectedImage says DECY
    assert _notes(series) == [NoteKind.CORRECTION]


def test_one_factor_of_philips_for_slices_of_different_decay_is_doubted():
    series = _philips("0.001", "0", DecayCorrection="NONE", CorrectedImage=["ATTN"])
    assert _notes(series) == [NoteKind.CORRECTION]
    add_private(series[1], PHILIPS, 0x00, "DS", "0.002")
    assert _notes(series) == []


@pytest.mark.parametrize(("corrections", "lacking"), [(["ATTN", "SCAT"], "DECY"), ("DECY", "ATTN")])
def test_values_that_lack_a_correction_are_refused(corrections, lacking):
    assert f"not corrected for {lacking} (CorrectedImage (0028,0051))" in _refusal(headers(CorrectedImage=corrections))


@pytest.mark.parametrize(
    ("keyword", "number"),
    [
        ("Units", "0054,1001"),
        ("CorrectedImage", "0028,0051"),
        ("DecayCorrection", "0054,1102"),
        ("PatientWeight", "0010,1030"),
        ("SeriesDate", "0008,0021"),
        ("SeriesTime", "0008,0031"),
        ("AcquisitionTime", "0008,0032"),
        ("RadiopharmaceuticalInformationSequence", "0054,0016"),
        ("RadiopharmaceuticalStartTime", "0018,1072"),
        ("RadionuclideTotalDose", "0018,1074"),
        ("RadionuclideHalfLife", "0018,1075"),
    ],
)
def test_missing_or_empty_tag_is_named(keyword, number):
    for spoil in (delattr, lambda header, name: setattr(header, name, None)):
        series = headers()
        for header in series:
            spoil(header if keyword in header else dose(header), keyword)
        assert f"lacks {keyword} ({number})" in _refusal(series)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientWeight", "0"),
        ("PatientWeight", "0.08"),
        ("PatientWeight", "1.75"),
        ("PatientWeight", "800"),
        ("PatientWeight", "700000"),
        ("RadionuclideTotalDose", "0"),
        ("RadionuclideTotalDose", "-350"),
        ("RadionuclideTotalDose", "0.35"),
        ("RadionuclideTotalDose", "350000"),
        ("RadionuclideTotalDose", "3.5e11"),
        ("RadionuclideHalfLife", "-1"),
        ("RadionuclideHalfLife", "0"),
        ("RadionuclideHalfLife", "109.77"),
        ("RadionuclideHalfLife", "1.83"),
    ],
)
def test_implausible_value_is_refused_naming_the_tag(keyword, value):
    assert f"{keyword} (" in _refusal(headers(**{keyword: value}))


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientWeight", "80"),
        ("PatientSize", "1.7"),
        ("Units", "GML"),
        ("SUVType", "LBM"),
        ("DecayCorrection", "ADMIN"),
        ("SeriesTime", "105900"),
        ("SeriesDate", "20200103"),
        ("TimezoneOffsetFromUTC", "+0100"),
        ("RadionuclideTotalDose", "175e6"),
        ("RadionuclideHalfLife", "4080"),
        ("RadiopharmaceuticalStartTime", "090000"),
        ("RadiopharmaceuticalStartDateTime", "20200102090000"),
    ],
)
def test_slices_that_differ_in_what_belongs_to_the_series_are_refused(keyword, value):
    series = headers(3)
    setattr(series[2] if not keyword.startswith("Radio") else dose(series[2]), keyword, value)
    assert f"differ in {keyword} (" in _refusal(series)


def test_real_series_converts_by_the_factor_of_its_tags(shared_data):
    series = read_series(shared_data / "wholebody_fdg_dicom").headers
    assert suv_factors(series).notes == ()
    # 71 kg, 388.777472 MBq, 6588 s half-life, 45 min 11 s.
    assert np.all(uptake(series).seconds == 45 * 60 + 11)
    np.testing.assert_allclose(suv_factors(series).per_slice, 71e3 / (388777472 * 2 ** (-2711 / 6588)), rtol=1e-9)


def _notes(series: list[Dataset]) -> list[NoteKind]:
    return [note.kind for note in suv_factors(series).notes]


@pytest.mark.parametrize(("keyword", "value"), [("PatientWeight", "2"), ("PatientWeight", "650")])
def test_weight_at_its_bound_is_taken(keyword, value):
    assert suv_factors(headers(**{keyword: value})).weight_kg == float(value)


@pytest.mark.parametrize("dose", ["1e6", "3e10"])
def test_dose_at_its_bound_is_taken(dose):
    assert suv_factors(headers(RadionuclideTotalDose=dose)).notes == ()


def test_dose_in_kbq_is_refused_naming_the_unit():
    assert "it looks like kBq" in _refusal(headers(RadionuclideTotalDose="350000"))


@pytest.mark.parametrize("dose_mbq", ["350", "9999", "1"])
def test_dose_below_10000_is_in_mbq(dose_mbq):
    # IBSI: doses lie around 4e8 or 4e2.
    factors = suv_factors(headers(RadionuclideTotalDose=dose_mbq))
    np.testing.assert_allclose(factors.per_slice, SUV_FACTOR * 350 / float(dose_mbq))
    assert f"RadionuclideTotalDose (0018,1074) of {dose_mbq} is in MBq" in factors.assumed


def test_weight_above_1000_is_in_grams():
    factors = suv_factors(headers(PatientWeight="70000"))
    np.testing.assert_allclose(factors.per_slice, SUV_FACTOR)
    assert factors.weight_kg == 70
    assert "PatientWeight (0010,1030) of 70000 is in grams" in factors.assumed


def test_what_was_assumed_of_plain_tags_is_the_way_to_the_time():
    assert suv_factors(headers()).assumed == ("reference time by SeriesTime (0008,0031), 60.0 min after the injection",)
    assert suv_factors(headers(DecayCorrection="ADMIN")).assumed == ()


def test_half_life_in_minutes_is_blamed_and_not_the_times():
    message = _refusal(headers(RadionuclideHalfLife="109.77"))
    assert message.startswith(
        "RadionuclideHalfLife (0018,1075) of 109.77 s cannot be right: it looks like that of F-18"
    )


def test_weight_that_does_not_go_with_the_size_is_noted():
    assert _notes(headers(PatientSize="1.75")) == []
    assert _notes(headers(PatientSize="1.75", PatientWeight="7")) == [NoteKind.WEIGHT]
    assert _notes(headers(PatientSize="1.75", PatientWeight="500")) == [NoteKind.WEIGHT]
    assert _notes(headers(PatientSize="175")) == []


def test_suv_needs_no_weight_but_says_that_a_wrong_one_is_there():
    assert suv_factors(headers(Units="GML", PatientWeight="")).weight_kg is None
    wrong = suv_factors(headers(Units="GML", PatientWeight="800"))
    assert wrong.weight_kg is None
    assert [note.kind for note in wrong.notes] == [NoteKind.WEIGHT]


@pytest.mark.parametrize("corrections", ["DECY,ATTN", ["decy", "attn"], "DECY ATTN SCAT", ["DECY,ATTN", "SCAT"]])
def test_corrections_written_in_another_way_are_understood(corrections):
    assert suv_factors(headers(CorrectedImage=corrections)).notes == ()


def _philips(suv: str, activity: str, **tags) -> list[Dataset]:
    series = headers(Units="CNTS", **tags)
    for header in series:
        add_private(header, PHILIPS, 0x00, "DS", suv)
        add_private(header, PHILIPS, 0x09, "DS", activity)
    return series


def test_factors_of_philips_that_agree_raise_no_doubt():
    assert _notes(_philips(f"{2 * SUV_FACTOR:.10g}", "2")) == []


def test_factors_of_philips_that_disagree_are_noted():
    series = _philips(f"{2 * SUV_FACTOR:.10g}", "3")
    assert suv_factors(series).per_slice[0] == pytest.approx(2 * SUV_FACTOR)
    (note,) = suv_factors(series).notes
    assert note.kind is NoteKind.UNITS
    assert "1.50 times the SUV" in note.message


def test_factors_of_philips_that_cannot_be_compared_are_noted():
    assert NoteKind.UNITS in _notes(_philips("0.001", "3", RadionuclideTotalDose="350000"))


def test_intercept_that_is_not_zero_is_refused():
    series = headers()
    series[1].RescaleIntercept = "-5"
    assert "RescaleIntercept (0028,1052) of the PET series is not zero" in _refusal(series)
    assert _notes(headers(RescaleIntercept="0.0")) == []


@pytest.mark.parametrize(
    ("correction", "factor", "kinds"),
    [
        ("START", "1.01", []),
        ("START", "1.47", [NoteKind.CORRECTION]),
        ("ADMIN", "1.47", []),
        ("ADMIN", "1.01", [NoteKind.CORRECTION]),
        ("ADMIN", "1", []),  # written by those who do not know it
    ],
)
def test_decay_factor_that_belongs_to_the_other_correction_is_noted(correction, factor, kinds):
    assert _notes(headers(DecayCorrection=correction, DecayFactor=factor)) == kinds


def test_nuclide_that_is_named_has_its_half_life():
    code = Dataset()
    code.CodeMeaning = "^68^Gallium"
    series = headers()
    for header in series:
        dose(header).RadionuclideCodeSequence = [code]
    assert "is not that of Ga-68, 4070.7 s" in _refusal(series)
