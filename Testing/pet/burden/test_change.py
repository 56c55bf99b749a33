import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.burden.alignment import Alignment
from SegAnyPETLib.pet.burden.change import Fate, Timepoint, changes, check_same_patient
from SegAnyPETLib.pet.burden.lesions import measured_lesions, regions_of
from SegAnyPETLib.volume.volume import Volume
from Testing.pet.burden.lesion_fixtures import scan_of

STILL = Alignment(np.eye(4), 1.0)


def timepoint(*cubes) -> Timepoint:
    return Timepoint(*scan_of(*cubes))


def fates(before: Timepoint, after: Timepoint, alignment: Alignment = STILL) -> list[tuple]:
    return [(one.before, one.after, one.fate) for one in changes(before, after, alignment)]


def test_lesions_that_overlap_are_matched_and_the_others_are_gone_or_new():
    before = timepoint(((1, 1, 1), 3, 6.0), ((10, 1, 1), 1, 5.0))
    after = timepoint(((2, 2, 2), 3, 4.0), ((16, 8, 8), 2, 7.0))
    assert fates(before, after) == [((1,), (1,), Fate.STABLE), ((2,), (), Fate.GONE), ((), (2,), Fate.NEW)]
    matched, gone, new = changes(before, after, STILL)
    assert (matched.volume_ml, matched.suv_peak, matched.tlg) == ((27, 27), (6, 4), (162, 108))
    assert (gone.volume_ml, gone.suv_peak) == ((1, 0), (5, 0))
    assert new.volume_ml == (0, 8)


@pytest.mark.parametrize(("sides", "fate"), [((2, 3), Fate.GROWN), ((3, 2), Fate.SHRUNK), ((2, 2), Fate.STABLE)])
def test_fate_follows_from_the_volume(sides, fate: Fate):
    found = fates(timepoint(((4, 4, 4), sides[0], 6.0)), timepoint(((4, 4, 4), sides[1], 6.0)))
    assert found == [((1,), (1,), fate)]


def test_lesions_that_merge_are_one_change():
    before = timepoint(((4, 4, 2), 2, 6.0), ((4, 4, 6), 2, 5.0))
    assert fates(before, timepoint(((3, 3, 2), 6, 6.0))) == [((1, 2), (1,), Fate.GROWN)]


def test_lesions_are_moved_by_the_alignment_before_they_are_matched():
    before, after = timepoint(((1, 1, 1), 2, 6.0)), timepoint(((9, 1, 1), 2, 6.0))
    assert [fate for *_, fate in fates(before, after)] == [Fate.GONE, Fate.NEW]
    lifted = np.eye(4)
    lifted[2, 3] = 80.0
    assert fates(before, after, Alignment(lifted, 1.0)) == [((1,), (1,), Fate.STABLE)]


def test_scans_may_have_different_voxels():
    before = timepoint(((4, 4, 4), 2, 6.0))
    pet, lesions = scan_of(((4, 4, 4), 2, 6.0))
    fine = Volume(pet.array_kji.repeat(2, 0), pet.ijk_to_ras @ np.diag([1, 1, 0.5, 1]), "SUVbw")
    mask = lesions[0].region.to_array(pet.shape_kji).repeat(2, 0)
    after = Timepoint(fine, measured_lesions(fine, regions_of(mask)))
    assert fates(before, after) == [((1,), (1,), Fate.STABLE)]


def test_nothing_left_means_all_gone_and_nothing_at_all_no_change():
    assert fates(timepoint(((4, 4, 4), 2, 6.0)), timepoint()) == [((1,), (), Fate.GONE)]
    assert fates(timepoint(), timepoint()) == []


def test_bodies_that_do_not_fit_each_other_are_refused():
    check_same_patient(Alignment(np.eye(4), 0.9))
    with pytest.raises(InputError, match=r"different patients: their bodies overlap by 0\.50 .*--force"):
        check_same_patient(Alignment(np.eye(4), 0.5))
