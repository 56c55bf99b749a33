import json
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.scan_times import uptake
from SegAnyPETLib.pet.suv import suv_factors
from SegAnyPETLib.volume.dicom.series import read_series
from SegAnyPETLib.volume.notes import NoteKind
from Testing.dicom_fixtures import DOSE_BQ, SUV_FACTOR, WEIGHT_KG, pet_slice

PHILIPS = (0x7053, "Philips PET Private Group")
GE = (0x0009, "GEMS_PETD_01")


def _headers(count: int = 2, **tags) -> list[Dataset]:
    headers = [pet_slice(np.ones((2, 2)), (0, 0, 3.0 * k)) for k in range(count)]
    for header in headers:
        for keyword, value in tags.items():
            target = header if keyword in header or not keyword.startswith("Radio") else _dose(header)
            setattr(target, keyword, value)
    return headers


def _dose(header: Dataset) -> Dataset:
    return header.RadiopharmaceuticalInformationSequence[0]


def _add_private(header: Dataset, owner: tuple[int, str], offset: int, vr: str, value: object) -> None:
    header.private_block(*owner, create=True).add_new(offset, vr, value)


def _refusal(headers: list[Dataset]) -> str:
    with pytest.raises(InputError) as caught:
        suv_factors(headers)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_values_corrected_to_the_start_of_the_scan_use_the_decayed_dose():
    # 70 kg, 350 MBq of F-18, one hour: 350e6 * 2^(-3600/6588) = 239.6e6 Bq left.
    np.testing.assert_allclose(
        suv_factors(_headers(3)).per_slice, [70000 / (350e6 * 2 ** (-3600 / 6588))] * 3, rtol=1e-12
    )
    assert suv_factors(_headers()).per_slice[0] == pytest.approx(SUV_FACTOR)


def test_values_corrected_to_the_injection_use_the_whole_dose():
    assert suv_factors(_headers(DecayCorrection="ADMIN")).per_slice[0] == pytest.approx(WEIGHT_KG * 1000 / DOSE_BQ)


def test_values_corrected_to_the_injection_need_no_times():
    headers = _headers(DecayCorrection="ADMIN")
    for header in headers:
        del header.SeriesTime, header.AcquisitionTime, _dose(header).RadionuclideHalfLife
    assert suv_factors(headers).per_slice[0] == pytest.approx(WEIGHT_KG * 1000 / DOSE_BQ)


def test_values_in_grams_per_ml_are_suv():
    assert np.array_equal(suv_factors(_headers(Units="GML")).per_slice, [1, 1])
    assert np.array_equal(suv_factors(_headers(Units="GML", SUVType="BW")).per_slice, [1, 1])


@pytest.mark.parametrize("kind", ["LBM", "BSA", "IBW", "LBMJANMA"])
def test_suv_of_another_type_is_refused(kind):
    assert f"type {kind}, SUVType (0054,1006)" in _refusal(_headers(Units="GML", SUVType=kind))


def test_counts_take_the_suv_factor_of_philips_slice_by_slice():
    headers = _headers(Units="CNTS")
    for header, factor in zip(headers, ("0.001", "0.002"), strict=True):
        _add_private(header, PHILIPS, 0x00, "DS", factor)
        _add_private(header, PHILIPS, 0x09, "DS", "3")
    assert np.array_equal(suv_factors(headers).per_slice, [0.001, 0.002])


def test_counts_take_the_activity_factor_of_philips_where_the_suv_factor_is_zero():
    headers = _headers(Units="CNTS")
    for header in headers:
        _add_private(header, PHILIPS, 0x00, "DS", "0")
        _add_private(header, PHILIPS, 0x09, "DS", "2.5")
    np.testing.assert_allclose(suv_factors(headers).per_slice, 2.5 * SUV_FACTOR)


def test_counts_without_the_factors_of_philips_are_refused():
    message = _refusal(_headers(Units="CNTS"))
    assert "(7053,1000)" in message
    assert "(7053,1009)" in message


def test_private_element_of_another_creator_is_not_taken():
    headers = _headers(Units="CNTS")
    for header in headers:
        _add_private(header, (0x7053, "Somebody else"), 0x00, "DS", "0.001")
    assert "(7053,1000)" in _refusal(headers)


@pytest.mark.parametrize("units", ["PROPCPS", "PCNT", "NONE"])
def test_other_units_are_refused(units):
    assert f"Units (0054,1001) {units}" in _refusal(_headers(Units=units))


@pytest.mark.parametrize("correction", ["NONE", "SOMETIME"])
def test_other_decay_correction_is_refused(correction):
    assert f"{correction} of DecayCorrection (0054,1102)" in _refusal(_headers(DecayCorrection=correction))


@pytest.mark.parametrize(("corrections", "lacking"), [(["ATTN", "SCAT"], "DECY"), ("DECY", "ATTN")])
def test_values_that_lack_a_correction_are_refused(corrections, lacking):
    assert f"not corrected for {lacking} (CorrectedImage (0028,0051))" in _refusal(_headers(CorrectedImage=corrections))


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
        headers = _headers()
        for header in headers:
            spoil(header if keyword in header else _dose(header), keyword)
        assert f"lacks {keyword} ({number})" in _refusal(headers)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientWeight", "0"),
        ("PatientWeight", "0.08"),
        ("PatientWeight", "1.75"),
        ("PatientWeight", "70000"),
        ("RadionuclideTotalDose", "0"),
        ("RadionuclideTotalDose", "350"),
        ("RadionuclideTotalDose", "350000"),
        ("RadionuclideTotalDose", "3.5e11"),
        ("RadionuclideHalfLife", "-1"),
        ("RadionuclideHalfLife", "0"),
        ("RadionuclideHalfLife", "109.77"),
        ("RadionuclideHalfLife", "1.83"),
    ],
)
def test_implausible_value_is_refused_naming_the_tag(keyword, value):
    assert f"{keyword} (" in _refusal(_headers(**{keyword: value}))


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
    headers = _headers(3)
    setattr(headers[2] if not keyword.startswith("Radio") else _dose(headers[2]), keyword, value)
    assert f"differ in {keyword} (" in _refusal(headers)


def test_real_series_converts_by_the_factor_of_its_tags(shared_data):
    headers = read_series(shared_data / "wholebody_fdg_dicom").headers
    assert suv_factors(headers).notes == ()
    # 71 kg, 388.777472 MBq, 6588 s half-life, 45 min 11 s.
    assert np.all(uptake(headers).seconds == 45 * 60 + 11)
    np.testing.assert_allclose(suv_factors(headers).per_slice, 71e3 / (388777472 * 2 ** (-2711 / 6588)), rtol=1e-9)


def _notes(headers: list[Dataset]) -> list[NoteKind]:
    return [note.kind for note in suv_factors(headers).notes]


@pytest.mark.parametrize(("keyword", "value"), [("PatientWeight", "2"), ("PatientWeight", "650")])
def test_weight_at_its_bound_is_taken(keyword, value):
    assert suv_factors(_headers(**{keyword: value})).weight_kg == float(value)


@pytest.mark.parametrize("dose", ["1e6", "3e10"])
def test_dose_at_its_bound_is_taken(dose):
    assert suv_factors(_headers(RadionuclideTotalDose=dose)).notes == ()


@pytest.mark.parametrize(("dose", "unit"), [("350", "MBq"), ("350000", "kBq")])
def test_dose_in_another_unit_is_named(dose, unit):
    assert f"it looks like {unit}" in _refusal(_headers(RadionuclideTotalDose=dose))


def test_half_life_in_minutes_is_blamed_and_not_the_times():
    message = _refusal(_headers(RadionuclideHalfLife="109.77"))
    assert message.startswith(
        "RadionuclideHalfLife (0018,1075) of 109.77 s cannot be right: it looks like that of F-18"
    )


def test_weight_that_does_not_go_with_the_size_is_noted():
    assert _notes(_headers(PatientSize="1.75")) == []
    assert _notes(_headers(PatientSize="1.75", PatientWeight="7")) == [NoteKind.WEIGHT]
    assert _notes(_headers(PatientSize="1.75", PatientWeight="500")) == [NoteKind.WEIGHT]
    assert _notes(_headers(PatientSize="175")) == []


def test_suv_needs_no_weight_but_says_that_a_wrong_one_is_there():
    assert suv_factors(_headers(Units="GML", PatientWeight="")).weight_kg is None
    wrong = suv_factors(_headers(Units="GML", PatientWeight="70000"))
    assert wrong.weight_kg is None
    assert [note.kind for note in wrong.notes] == [NoteKind.WEIGHT]


@pytest.mark.parametrize("corrections", ["DECY,ATTN", ["decy", "attn"], "DECY ATTN SCAT", ["DECY,ATTN", "SCAT"]])
def test_corrections_written_in_another_way_are_understood(corrections):
    assert suv_factors(_headers(CorrectedImage=corrections)).notes == ()


def _philips(suv: str, activity: str, **tags) -> list[Dataset]:
    headers = _headers(Units="CNTS", **tags)
    for header in headers:
        _add_private(header, PHILIPS, 0x00, "DS", suv)
        _add_private(header, PHILIPS, 0x09, "DS", activity)
    return headers


def test_factors_of_philips_that_agree_raise_no_doubt():
    assert _notes(_philips(f"{2 * SUV_FACTOR:.10g}", "2")) == []


def test_factors_of_philips_that_disagree_are_noted():
    headers = _philips(f"{2 * SUV_FACTOR:.10g}", "3")
    assert suv_factors(headers).per_slice[0] == pytest.approx(2 * SUV_FACTOR)
    (note,) = suv_factors(headers).notes
    assert note.kind is NoteKind.UNITS
    assert "1.50 times the SUV" in note.message


def test_factors_of_philips_that_cannot_be_compared_are_noted():
    assert NoteKind.UNITS in _notes(_philips("0.001", "3", RadionuclideTotalDose="350"))


def test_intercept_that_is_not_zero_is_noted():
    assert _notes(_headers(RescaleIntercept="-5")) == [NoteKind.VALUES]
    assert _notes(_headers(RescaleIntercept="0.0")) == []


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
    assert _notes(_headers(DecayCorrection=correction, DecayFactor=factor)) == kinds


def test_nuclide_that_is_named_has_its_half_life():
    code = Dataset()
    code.CodeMeaning = "^68^Gallium"
    headers = _headers()
    for header in headers:
        _dose(header).RadionuclideCodeSequence = [code]
    assert "is not that of Ga-68, 4070.7 s" in _refusal(headers)


#: Factors of real series by the tests of cornerstonejs/calculate-suv.
FACTORS = {
    "SIEMENS": 0.00042748316187197236,
    "GE_MEDICAL_AND_BQML": 0.0005367387681819742,
    "PHILIPS_BQML": 0.0007463747013889488,
    "PHILIPS_CNTS_AND_BQML_SUV": 0.000551,
    "PHILIPS_CNTS_AND_SUV": 0.000728,
    "CPS_AND_BQML_AC_DT_-_S_DT": 0.00026503312764157046,
    "RADIOPHARM_DATETIME_UNDEFINED": 0.0003721089202818729,
}


@pytest.mark.parametrize("name", FACTORS)
def test_headers_of_real_series_have_the_factor_that_others_compute(shared_data, name):
    headers = _json_headers(shared_data / "suv_headers" / f"{name}-instances.json")
    np.testing.assert_allclose(suv_factors(headers).per_slice[0], FACTORS[name], rtol=1e-9)


def _json_headers(path: Path) -> list[Dataset]:
    """Headers from a flat JSON object per slice."""
    headers = []
    for tags in json.loads(path.read_text()):
        header = pet_slice(np.ones((2, 2)), (0, 0, 0))
        del header.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime
        for keyword, value in tags.items():
            if keyword == "PhilipsPETPrivateGroup":
                for key, offset in (("SUVScaleFactor", 0x00), ("ActivityConcentrationScaleFactor", 0x09)):
                    if (value or {}).get(key):
                        _add_private(header, PHILIPS, offset, "DS", f"{float(value[key]):.10g}")
            elif value not in (None, {}):
                target = _dose(header) if keyword.startswith("Radi") else header
                setattr(target, keyword, f"{value:.10g}" if isinstance(value, float) else value)
        headers.append(header)
    return headers
