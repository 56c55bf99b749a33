import numpy as np
import pytest
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.simulation.anatomy import Anatomy
from SegAnyPETLib.simulation.phantom import LESION_GAP_MM, make_phantom, scan_phantom
from SegAnyPETLib.simulation.tissues import Tissue
from SegAnyPETLib.volume.volume import Volume


@pytest.fixture(scope="module")
def phantom():
    return make_phantom(seed=3)


def test_all_volumes_lie_on_one_grid(phantom):
    assert phantom.image.units == "SUVbw"
    assert phantom.organs.same_grid(phantom.image)
    assert phantom.lesions.same_grid(phantom.image)


def test_the_truth_describes_the_lesions(phantom):
    assert [t.label for t in phantom.truth] == [1, 2, 3, 4, 5, 6]
    for truth in phantom.truth:
        lesion = phantom.lesions.array_kji == truth.label
        assert truth.volume_ml == pytest.approx(lesion.sum() * phantom.image.voxel_ml)
        assert lesion[phantom.lesions.nearest_kji(truth.click_ras)]
        assert not phantom.organs.array_kji[lesion].any()


def test_lesions_keep_away_from_one_another_where_they_are_crowded():
    organs = np.zeros((12, 20, 20), np.uint8)
    organs[:, 4:16, 4:16] = Tissue.LIVER
    lesions = make_phantom(0, Volume(organs, np.diag([8.0, 8.0, 8.0, 1.0])), lesions=60).lesions
    assert lesions.array_kji.max() > 15
    for label, box in enumerate(ndimage.find_objects(lesions.array_kji), start=1):
        around = tuple(slice(max(s.start - 3, 0), s.stop + 3) for s in box)
        labels = lesions.array_kji[around]
        away_mm = ndimage.distance_transform_edt(labels != label, sampling=lesions.spacing_mm[::-1])
        assert not ((labels > 0) & (labels != label) & (away_mm < LESION_GAP_MM)).any()


def test_a_lesion_is_hotter_than_its_surroundings(phantom):
    for truth in phantom.truth:
        if truth.volume_ml > 5:
            lesion = phantom.lesions.array_kji == truth.label
            assert (
                phantom.image.array_kji[lesion].mean()
                > 1.2 * phantom.image.array_kji[phantom.image.array_kji > 0.2].mean()
            )


@pytest.mark.slow
def test_equal_seeds_make_equal_phantoms_and_others_do_not(phantom):
    again, other = make_phantom(seed=3), make_phantom(seed=4)
    assert np.array_equal(again.image.array_kji, phantom.image.array_kji)
    assert again.truth == phantom.truth
    assert other.truth != phantom.truth


def test_an_unknown_tracer_is_refused():
    with pytest.raises(InputError, match="unknown tracer 'fes'"):
        make_phantom(tracer="fes")


def test_lesions_painted_elsewhere_are_scanned_as_they_are_even_where_they_touch():
    tissues = np.full((12, 10, 8), Tissue.SOFT, np.uint8)
    tissues[:4] = Tissue.LIVER
    lesions = np.zeros(tissues.shape, np.uint8)
    lesions[2:6, 4:7, 2:4], lesions[2:6, 4:7, 4:6] = 1, 3
    activity = np.choose(lesions, [0.5, 6.0, 0.5, 9.0]).astype(np.float32)
    found = scan_phantom(Anatomy(tissues, (3.0, 2.0, 4.0)), activity, lesions, np.random.default_rng(0))
    assert np.array_equal(found.lesions.array_kji, lesions)
    assert np.array_equal(found.organs.array_kji == Tissue.LIVER, (tissues == Tissue.LIVER) & (lesions == 0))
    assert [(t.label, t.suv) for t in found.truth] == [(1, 6.0), (3, 9.0)]
    assert [t.volume_ml for t in found.truth] == pytest.approx([24 * 0.024] * 2)
    assert found.image.spacing_mm == pytest.approx((4.0, 2.0, 3.0))
    assert found.image.array_kji[4, 5, 5] > found.image.array_kji[4, 5, 2] > found.image.array_kji[10, 1, 1]
