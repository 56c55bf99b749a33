import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.suv.body import Body
from SegAnyPETLib.pet.suv.suv_type import SuvType, suv_scale

MAN = Body(80.0, 1.80, "M")
OTHERS = [SuvType.LEAN_BODY_MASS, SuvType.IDEAL_WEIGHT, SuvType.BODY_SURFACE]


@pytest.mark.parametrize(
    ("suv_type", "factor", "shown"),
    [
        # The masses are those of `test_body.py`; the surface is 19,964 cm2.
        (SuvType.BODY_WEIGHT, 1.0, "SUVbw, by body weight, in g/ml"),
        (SuvType.LEAN_BODY_MASS, 61.7314 / 80, "SUVlbm, by lean body mass (Janmahasatian), in g/ml"),
        (SuvType.IDEAL_WEIGHT, 77.68 / 80, "SUVibw, by ideal body weight, in g/ml"),
        (SuvType.BODY_SURFACE, 19964 / 80000, "SUVbsa, by body surface (Du Bois), in cm2/ml"),
    ],
)
def test_suv_is_scaled_by_what_it_is_related_to(suv_type, factor, shown):
    scale = suv_scale(suv_type, "SUVbw", MAN)
    assert scale.per_body_weight == pytest.approx(factor, rel=1e-4)
    assert str(scale) == shown
    assert scale.tlg_unit == ("cm2" if suv_type is SuvType.BODY_SURFACE else "g")


@pytest.mark.parametrize("suv_type", OTHERS)
@pytest.mark.parametrize(("units", "body"), [("", None), ("", MAN), ("SUVbw", None)])
def test_suv_of_a_body_that_is_not_known_is_refused(suv_type, units, body):
    with pytest.raises(InputError, match=r"needs the patient's weight, size and sex, .* leave --suv-type out"):
        suv_scale(suv_type, units, body)


@pytest.mark.parametrize("suv_type", OTHERS)
def test_suv_without_the_size_is_refused_naming_the_tag(suv_type):
    with pytest.raises(InputError, match=r"needs PatientSize \(0010,1020\)"):
        suv_scale(suv_type, "SUVbw", Body(80.0, None, "M"))


def test_sex_other_is_assumed_to_be_the_mean():
    scale = suv_scale(SuvType.LEAN_BODY_MASS, "SUVbw", Body(80.0, 1.80, "O"))
    assert scale.assumed == ("PatientSex (0010,0040) O: the mean of men and women",)


def test_values_that_are_not_known_to_be_suv_are_not_called_so():
    scale = suv_scale(SuvType.BODY_WEIGHT, "", None)
    assert (scale.name, str(scale), scale.per_body_weight) == ("", "not known to be SUV", 1.0)
