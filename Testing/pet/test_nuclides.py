"""A half-life tells its nuclide and its unit."""

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.injection import check_half_life
from SegAnyPETLib.pet.nuclides import HALF_LIVES_S, nuclide_named, nuclide_of
from SegAnyPETLib.pet.units import OPTIONS, half_life_min
from SegAnyPETLib.volume.notes import NoteKind


@pytest.mark.parametrize(("seconds", "nuclide"), [(6588, "F-18"), (6586.2, "F-18"), (4080, "Ga-68"), (14292, "Sc-44")])
def test_published_half_lives_belong_to_their_nuclide(seconds, nuclide):
    assert nuclide_of(seconds) == nuclide


@pytest.mark.parametrize("seconds", [109.77, 1.83, 3600.0, 0.0])
def test_other_numbers_belong_to_none(seconds):
    assert nuclide_of(seconds) is None


@pytest.mark.parametrize(
    ("text", "nuclide"),
    [
        ("^18^Fluorine", "F-18"),
        ("F-18", "F-18"),
        ("18F", "F-18"),
        ("F^18^", "F-18"),
        ("Fluorine-18", "F-18"),
        ("Fluorodeoxyglucose F18", "F-18"),
        ("^68^Gallium", "Ga-68"),
        ("GA-68", "Ga-68"),
        ("^89^Zirconium", "Zr-89"),
        ("^13^Nitrogen", "N-13"),
        ("Technetium-99", None),
        ("FDG", None),
        ("", None),
    ],
)
def test_code_meaning_names_the_nuclide(text, nuclide):
    assert nuclide_named(text) == nuclide


@pytest.mark.parametrize("unit_s", [60.0, 3600.0, 86400.0, 1e-3])
@pytest.mark.parametrize("nuclide", ["C-11", "F-18", "Ga-68", "Zr-89", "Cu-64"])
def test_half_life_in_another_unit_is_refused(nuclide, unit_s):
    with pytest.raises(InputError, match=r"--half-life-min of .* cannot be right: .* in another unit"):
        check_half_life(HALF_LIVES_S[nuclide] / unit_s, OPTIONS)


@pytest.mark.parametrize("nuclide", HALF_LIVES_S)
@pytest.mark.parametrize("rounding", [0.98, 1.0, 1.02])
def test_half_life_of_a_nuclide_is_taken_with_its_name(nuclide, rounding):
    assert check_half_life(HALF_LIVES_S[nuclide] * rounding, OPTIONS, nuclide) == ()


def test_half_life_of_another_nuclide_than_the_named_is_refused():
    with pytest.raises(InputError, match=r"is not that of F-18, 6586.2 s"):
        check_half_life(4080.0, OPTIONS, "F-18")


def test_half_life_of_no_nuclide_is_noted():
    assert [note.kind for note in check_half_life(3000.0, OPTIONS)] == [NoteKind.DOSE]


def test_half_life_in_minutes_is_known_by_name():
    assert half_life_min("Ga-68") == pytest.approx(67.8, abs=0.1)
    with pytest.raises(InputError, match="Tc-99 is not known; use one of C-11"):
        half_life_min("Tc-99")
