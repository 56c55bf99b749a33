import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.suv.body import Body, body_of, related_to, surface_cm2
from Testing.pet.suv.headers import headers

MAN = Body(80.0, 1.80, "M")
WOMAN = Body(60.0, 1.65, "F")


@pytest.mark.parametrize(
    ("kind", "body", "kg"),
    [
        ("LBM", MAN, 64.2963),
        ("LBM", WOMAN, 44.6298),
        ("LBMJAMES128", MAN, 62.7160),
        ("LBMJAMES128", WOMAN, 44.6298),
        ("LBMJANMA", MAN, 61.7314),
        ("LBMJANMA", WOMAN, 39.2868),
        ("IBW", MAN, 77.68),
        ("IBW", WOMAN, 57.33),
        ("BW", MAN, 80.0),
    ],
)
def test_mass_follows_its_published_formula(kind, body, kg):
    # By hand: Morgan 1994, James 1976, Janmahasatian 2005, Sugawara 1999, as the manual of IBSI prints them.
    assert related_to(kind, body).value == pytest.approx(kg * 1000, abs=0.1)


def test_surface_follows_du_bois():
    assert surface_cm2(80.0, 180.0) == pytest.approx(19964, abs=1)
    assert related_to("BSA", MAN).value == surface_cm2(80.0, 180.0)


def test_sex_other_is_the_mean_of_both():
    other = related_to("LBMJANMA", Body(80.0, 1.80, "O"))
    both = [related_to("LBMJANMA", Body(80.0, 1.80, sex)).value for sex in "MF"]
    assert other.value == pytest.approx(sum(both) / 2)
    assert other.assumed == ("PatientSex (0010,0040) O: the mean of men and women",)


@pytest.mark.parametrize(
    ("kind", "body", "named"),
    [
        ("IBW", Body(80.0, 1.80), r"PatientSex \(0010,0040\) M, F or O"),
        ("LBM", Body(80.0, 1.80, "U"), r"PatientSex \(0010,0040\) M, F or O"),
        ("IBW", Body(80.0, None, "M"), r"needs PatientSize \(0010,1020\)"),
        ("BSA", Body(80.0, 0.0, "M"), r"needs PatientSize \(0010,1020\)"),
        ("BSA", Body(80.0, 180.0, "M"), "looks like centimetres"),
        ("BSA", Body(80.0, 0.018, "M"), r"PatientSize \(0010,1020\) of 0.018 m cannot be right"),
        ("IBW", Body(5.0, 0.55, "M"), "no meaning at 5 kg and 55 cm"),
        ("LBMJAMES128", Body(170.0, 1.50, "F"), "no meaning at 170 kg and 150 cm"),
        ("LEAN", MAN, "type LEAN is not known"),
    ],
)
def test_mass_that_cannot_be_told_is_refused_for_its_reason(kind, body, named):
    # DRO_error_2_2 to 2_5 of IBSI: sex absent or of another value, size absent or 0.
    with pytest.raises(InputError, match=named):
        related_to(kind, body)


def test_body_is_read_from_the_tags():
    (header,) = headers(1, PatientSize="1.65", PatientSex="F", PatientWeight="60000")
    body, weight = body_of(header)
    assert body == Body(60.0, 1.65, "F")
    assert weight.assumed == ("PatientWeight (0010,1030) of 60000 is in grams",)
    assert body_of(headers(1)[0])[0] == Body(70.0)
