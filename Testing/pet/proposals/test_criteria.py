import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.proposals.contrast import Contrast
from SegAnyPETLib.pet.proposals.criteria import BY_LIVER, CRITERIA, cut_of
from SegAnyPETLib.pet.proposals.liver import LiverReference, liver_reference
from SegAnyPETLib.pet.proposals.regions import Cut
from SegAnyPETLib.volume.volume import Volume

LIVER = LiverReference(mean=2.0, sd=0.3, maximum=2.9)


@pytest.mark.parametrize(
    ("criterion", "cut"),
    [
        ("suv4", Cut(4.0)),
        ("suv2.5", Cut(2.5)),
        ("41%", Cut(1.64, 0.41, 4.0)),
        ("psma3", Cut(3.0)),
        ("percist", Cut(3.6)),
        ("deauville", Cut(2.9)),
        ("qpsma", Cut(4.945)),
    ],
)
def test_each_criterion_has_its_published_threshold(criterion: str, cut: Cut):
    found = cut_of(criterion, LIVER)
    assert isinstance(found, Cut)
    assert (found.floor, found.fraction, found.min_max) == pytest.approx((cut.floor, cut.fraction, cut.min_max))


def test_all_criteria_are_tested():
    assert len(CRITERIA) == 8


def test_contrast_adds_what_is_large_by_a_fraction_of_its_maximum():
    found = cut_of("contrast")
    assert isinstance(found, Contrast)
    assert found.large == cut_of("41%")


@pytest.mark.parametrize("criterion", BY_LIVER)
def test_a_criterion_by_the_liver_needs_one(criterion: str):
    with pytest.raises(InputError, match="needs the liver"):
        cut_of(criterion)


def test_an_unknown_criterion_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"suv5 is not known; use one of contrast, suv4, suv2\.5"):
        cut_of("suv5")


def scan(inside: float, outside: float) -> Volume:
    """A ball of 15 mm around the middle in voxels of 5 mm, its two halves 0.2 apart."""
    k, j, i = np.indices((11, 11, 11)) - 5
    array = np.where(25 * (k**2 + j**2 + i**2) <= 225, inside, outside).astype(np.float32)
    array[k > 0] += 0.1
    array[k < 0] -= 0.1
    return Volume(array, np.diag([5.0, 5.0, 5.0, 1.0]), "SUVbw")


def test_liver_is_measured_in_a_sphere_of_three_centimetres():
    found = liver_reference(scan(2.0, 90.0), (25.0, 25.0, 25.0))
    assert found.mean == pytest.approx(2.0, abs=1e-6)
    # Of the 123 voxels of the sphere 29 lie in its middle plane.
    assert found.sd == pytest.approx(0.1 * np.sqrt(94 / 123), abs=1e-6)
    assert found.maximum == pytest.approx(2.1, abs=1e-6)
    assert found.percist_minimum == pytest.approx(3.0 + 2 * found.sd)


def test_a_sphere_that_is_no_liver_is_refused():
    with pytest.raises(InputError, match="no healthy liver"):
        liver_reference(scan(2.0, 90.0), (25.0, 25.0, 35.0))
    with pytest.raises(InputError, match="outside the volume"):
        liver_reference(scan(2.0, 90.0), (250.0, 25.0, 35.0))
