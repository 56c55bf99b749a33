import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.proposals.criteria import cut_of
from SegAnyPETLib.pet.proposals.frame import BodyFrame
from SegAnyPETLib.pet.proposals.hotspots import propose
from SegAnyPETLib.pet.proposals.proposal import candidate_of, paired_places
from SegAnyPETLib.pet.quantities import quantities, suv_peak_local
from SegAnyPETLib.simulation.phantom import make_phantom
from SegAnyPETLib.simulation.tissues import Tissue
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

FRAME = BodyFrame(shoulders_s=0.0, midline_r=50.0, middle_a=0.0)


def body(**blobs: tuple[tuple[int, int, int], int, float]) -> Volume:
    """A warm block in air with hot cubes, given by first voxel, side and SUV; voxels of 10 mm."""
    array = np.zeros((60, 20, 30), np.float32)
    array[2:58, 2:18, 2:28] = 0.6
    for (k, j, i), side, suv in blobs.values():
        array[k : k + side, j : j + side, i : i + side] = suv
    return Volume(array, np.diag([10.0, 10.0, 10.0, 1.0]), "SUVbw")


def test_every_hot_spot_is_proposed_once_with_its_measures():
    pet = body(one=((10, 5, 5), 2, 8.0), other=((40, 10, 20), 1, 5.0), cool=((30, 5, 5), 3, 3.9))
    found = propose(pet, cut_of("suv4"))
    assert sorted(p.candidate.suv_max for p in found) == [5, 8]
    hottest = max(found, key=lambda p: p.candidate.suv_max).candidate
    mask = hottest.region.to_array(pet.shape_kji)
    assert np.array_equal(mask, pet.array_kji == 8)
    measured = quantities(pet, mask)
    assert (hottest.volume_ml, hottest.suv_mean, hottest.tlg) == pytest.approx((8, 8, 64))
    assert hottest.suv_peak == pytest.approx(suv_peak_local(pet, mask)) == pytest.approx(measured.suv_peak)
    assert hottest.center_ras == pytest.approx((55, 55, 105))
    assert hottest.fill == 1


def test_proposals_are_sorted_by_their_score_and_doubt_is_greatest_in_the_middle():
    pet = body(one=((10, 5, 5), 2, 8.0), other=((40, 10, 20), 1, 5.0), big=((52, 6, 8), 6, 9.0))
    found = propose(pet, cut_of("suv4"))
    scores = [p.disease for p in found]
    assert scores == sorted(scores, reverse=True)
    assert [p.doubt for p in found] == pytest.approx([1 - abs(2 * score - 1) for score in scores])


def test_small_regions_are_left_out():
    pet = body(one=((10, 5, 5), 2, 8.0), other=((40, 10, 20), 1, 5.0))
    assert len(propose(pet, cut_of("suv4"), min_volume_ml=2)) == 1


def test_nothing_hot_gives_no_proposal():
    assert propose(body(), cut_of("suv4")) == ()


def test_one_hot_blob_is_refused():
    with pytest.raises(InputError, match="% of the body lies above 4, so there are no single lesions"):
        propose(body(all=((2, 2, 2), 16, 8.0), more=((20, 2, 2), 16, 8.0), most=((38, 2, 2), 16, 8.0)), cut_of("suv4"))


@pytest.mark.parametrize("units", ["", "Bq/ml"])
def test_values_that_are_not_known_as_suv_are_refused(units):
    pet = body(one=((10, 5, 5), 2, 8.0))
    with pytest.raises(InputError, match="does not say that its values are SUV"):
        propose(Volume(pet.array_kji, pet.ijk_to_ras, units), cut_of("suv4"))


def cubes(*firsts: tuple[int, int, int], suv: float = 6.0) -> list:
    pet = Volume(np.full((12, 12, 12), suv, np.float32), np.diag([10.0, 10.0, 10.0, 1.0]), "SUVbw")
    return [candidate_of(pet, MaskPatch(np.ones((2, 2, 2), bool), first), FRAME) for first in firsts]


def test_candidates_mirrored_at_the_midline_are_a_pair():
    assert paired_places(cubes((2, 2, 1), (2, 2, 8), (8, 8, 1))) == [True, True, False]


def test_what_lies_at_the_midline_is_no_pair():
    assert paired_places(cubes((2, 2, 4), (2, 2, 5))) == [False, False]


def test_candidates_that_differ_in_uptake_are_no_pair():
    assert paired_places([*cubes((2, 2, 1)), *cubes((2, 2, 8), suv=13.0)]) == [False, False]


def test_no_candidate_has_no_pair():
    assert paired_places([]) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_lesions_of_a_simulated_body_are_proposed_before_its_organs(seed: int):
    phantom = make_phantom(seed, lesions=12)
    found = propose(phantom.image, cut_of("41%"))
    hottest = [phantom.image.nearest_kji(p.candidate.hottest_ras) for p in found]
    first = [bool(phantom.lesions.array_kji[index]) for index in hottest]
    ranks = np.flatnonzero(first)
    assert ranks.mean() < np.flatnonzero(~np.array(first)).mean()
    brain = [p for p, index in zip(found, hottest, strict=True) if phantom.organs.array_kji[index] == Tissue.BRAIN]
    assert brain
    assert max(p.disease for p in brain if p.candidate.volume_ml > 100) < 0.2
