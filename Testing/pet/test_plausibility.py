"""An image is held against what a body and a dose can be."""

import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.plausibility import activity_of, check_suv, check_unmarked
from SegAnyPETLib.volume.notes import NoteKind
from SegAnyPETLib.volume.volume import Volume


def _body(litres: float, value: float, air: float = 0.0) -> Volume:
    """Half a volume of air and half a body of one value; voxels of 1 litre."""
    array = np.full((2, 1, round(litres)), air, np.float32)
    array[1] = value
    return Volume(array, np.diag([100.0, 100.0, 100.0, 1.0]))


def _kinds(notes):
    return [note.kind for note in notes]


def test_activity_of_a_body_in_noisy_air_counts_the_body_only():
    held = activity_of(_body(40, 1.0, air=0.02))
    assert held.body_litres == pytest.approx(40)
    assert held.body_mean == pytest.approx(1.0)
    assert held.total == pytest.approx(40_800)
    assert held.dose_share(51.0) == pytest.approx(0.8)


@pytest.mark.parametrize(("value", "kinds"), [(1.0, []), (1.92, []), (0.036, ["activity"]), (0.034, ["activity"] * 2)])
def test_share_of_the_dose_is_bounded_on_both_sides(value, kinds):
    # 40 l in 70 kg: SUV 0.035 is 2 % of the dose, SUV 1.925 is 110 %
    assert _kinds(check_suv(_body(40, value), 70.0, "the tags")) == kinds


def test_more_than_the_dose_is_refused():
    with pytest.raises(InputError, match=r"would hold 111 % of the dose, which cannot be; check the tags"):
        check_suv(_body(40, 1.94), 70.0, "the tags")


def test_body_that_outweighs_the_patient_is_noted():
    assert check_suv(_body(90, 0.7), 70.0, "the tags") == ()
    (note,) = check_suv(_body(92, 0.7), 70.0, "the tags")
    assert note.kind is NoteKind.BODY
    assert "too much for 70 kg; check the weight" in note.message


def test_hot_head_is_not_doubted_and_a_hot_trunk_is():
    assert check_suv(_body(6, 6.0), 70.0, "the tags") == ()
    assert _kinds(check_suv(_body(30, 2.6), 100.0, "the tags")) == [NoteKind.ACTIVITY]
    assert _kinds(check_suv(_body(6, 8.5), 70.0, "the tags")) == [NoteKind.ACTIVITY]


def test_suv_of_an_unknown_weight_is_bounded_by_the_heaviest_patient():
    assert check_suv(_body(60, 2.4), None, "the tags") == ()
    with pytest.raises(InputError, match="of the dose"):
        check_suv(_body(60, 12.0), None, "the tags")


def test_mean_of_a_small_part_that_no_tracer_reaches_is_refused():
    with pytest.raises(InputError, match="a mean SUV of 150"):
        check_suv(_body(1, 150.0), 650.0, "the tags")
    with pytest.raises(InputError, match=r"the values of the body have a mean of 150; say what they are with --units"):
        check_unmarked(_body(1, 150.0), "pet.nii")


def test_cut_out_lesion_is_not_doubted():
    assert check_unmarked(_body(1, 40.0), "pet.nii") == ()
