import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.training.phantom import make_phantom


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


def test_a_lesion_is_hotter_than_its_surroundings(phantom):
    for truth in phantom.truth:
        if truth.volume_ml > 5:
            lesion = phantom.lesions.array_kji == truth.label
            assert (
                phantom.image.array_kji[lesion].mean()
                > 1.2 * phantom.image.array_kji[phantom.image.array_kji > 0.2].mean()
            )


def test_equal_seeds_make_equal_phantoms_and_others_do_not(phantom):
    again, other = make_phantom(seed=3), make_phantom(seed=4)
    assert np.array_equal(again.image.array_kji, phantom.image.array_kji)
    assert again.truth == phantom.truth
    assert other.truth != phantom.truth


def test_an_unknown_tracer_is_refused():
    with pytest.raises(InputError, match="unknown tracer 'fes'"):
        make_phantom(tracer="fes")
