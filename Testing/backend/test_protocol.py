from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SegAnyPETLib.backend.protocol import FAR_LOGIT, Prediction, TargetPrompts, WindowImage, mask_prompt
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.interpolation import refined
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window

seeds = st.integers(0, 2**32 - 1)


def voxels(seed, scale=1.0, size=4):
    return (np.random.default_rng(seed).uniform(-1, 1, (size,) * 3) * scale).astype(np.float32)


# --- windows


@given(seeds, st.floats(-100, 125))
def test_a_window_keeps_eleven_bits_of_any_scale(seed, exponent):
    array = voxels(seed, 2.0**exponent)
    image = WindowImage.of(array, 2.0)
    # Far below the largest voxel float16 counts in equal steps: 2^-24 units.
    allowed = np.maximum(np.abs(array.astype(np.float64)) * 2.0**-11, image.unit * 2.0**-25)
    assert (np.abs(image.array_kji.astype(np.float64) - array) <= allowed).all()


@pytest.mark.parametrize("largest", [1.0, 25.0, 65504.0, 1e6, 1e-30, 3e7])
def test_suv_and_bq_per_ml_are_kept_to_half_a_permille_of_the_voxel(largest):
    array = np.linspace(largest / 1000, largest, 27, dtype=np.float32).reshape(3, 3, 3)
    np.testing.assert_allclose(WindowImage.of(array, 2.0).array_kji, array, rtol=2.0**-11)


def test_what_float16_can_hold_comes_back_bit_for_bit():
    array = np.array([0, 1, -2.5, 4096, 0.001953125, -0.0, 3, 7], np.float32).reshape(2, 2, 2)
    assert WindowImage.of(array, 2.0).array_kji.tobytes() == array.tobytes()


def test_an_empty_window_stays_empty():
    image = WindowImage.of(np.zeros((2, 2, 2), np.float32), 2.0)
    assert image.unit == 1.0
    assert not image.array_kji.any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_absurd_voxels_are_refused(value):
    array = np.ones((2, 2, 2), np.float32)
    array[1, 0, 1] = value
    with pytest.raises(InputError, match="not finite or absurdly large"):
        WindowImage.of(array, 2.0)


def test_the_largest_voxel_that_is_taken_stays_finite():
    array = np.full((1, 1, 1), np.nextafter(np.float32(2.0**127), np.float32(0)), np.float32)
    assert np.isfinite(WindowImage.of(array, 2.0).array_kji).all()


@given(seeds, st.integers(0, 63))
def test_the_checksum_changes_with_every_voxel_the_unit_and_the_spacing(seed, at):
    image = WindowImage.of(voxels(seed), 2.0)
    changed = image.voxels_kji.copy()
    changed.view(np.uint16).flat[at] ^= 1
    others = [replace(image, voxels_kji=changed), replace(image, unit=image.unit * 2), replace(image, spacing_mm=2.5)]
    assert len({image.sha256, *(other.sha256 for other in others)}) == 4


def test_the_checksum_is_that_of_the_values_however_they_lie_in_memory():
    image = WindowImage.of(voxels(1), 2.0)
    for view in (image.voxels_kji.astype(">f2"), np.asfortranarray(image.voxels_kji)):
        assert replace(image, voxels_kji=view).sha256 == image.sha256


# --- prompts


def test_a_mask_prompt_keeps_occupancies_in_steps_and_nothing_of_the_empty_rest():
    occupancy = np.zeros((6, 6, 6), np.float32)
    occupancy[1, 2, 3:5] = 1.0, 0.5
    mask = mask_prompt(occupancy)
    assert mask.offset_kji == (1, 2, 3)
    assert mask.array_kji.tolist() == [[[255, 128]]]
    prompts = TargetPrompts(np.zeros((0, 3), np.float32), np.zeros(0, bool), mask)
    assert prompts.mask_kji.dtype == np.float32
    assert np.abs(prompts.mask_kji - occupancy).max() < 0.501 / 255


def test_an_empty_mask_prompt_is_a_mask_and_none_is_not():
    points = np.zeros((0, 3), np.float32), np.zeros(0, bool)
    assert not TargetPrompts(*points, mask_prompt(np.zeros((3, 3, 3), np.float32))).mask_kji.any()
    assert TargetPrompts(*points).mask_kji is None


# --- answers


@st.composite
def logits(draw, sides=(1, 2, 3, 4, 6)):
    """Smooth or rough, large or tiny, with much or little foreground; some are exactly zero."""
    n = draw(st.sampled_from(sides))
    rng = np.random.default_rng(draw(seeds))
    array = rng.normal(draw(st.floats(-3, 1)), 1, (n,) * 3) * 2.0 ** draw(st.integers(-40, 20))
    array[rng.uniform(size=array.shape) < draw(st.sampled_from([0.0, 0.5]))] *= -0.001
    array[rng.uniform(size=array.shape) < draw(st.sampled_from([0.0, 0.2]))] = 0.0
    return array.astype(np.float32)


@pytest.mark.slow
@given(logits(), st.sampled_from([1, 2]), st.booleans())
def test_no_logit_changes_sides(array, factor, feeds_back_logits):
    answer = Prediction.of(array, len(array) * factor, 0.5, feeds_back_logits)
    assert np.array_equal(answer.logits.filled(FAR_LOGIT) > 0, array > 0)


@pytest.mark.parametrize("value", [1e-38, 1e-45, 1e-9, 1e38])
def test_tiny_and_huge_logits_keep_their_side(value):
    array = np.array([value, -value], np.float32).reshape(1, 1, 2).repeat(2, 0).repeat(2, 1)
    assert np.array_equal(Prediction.of(array, 2, 0.5).logits_kji > 0, array > 0)


@pytest.mark.slow
@settings(max_examples=150)
@given(seeds, st.sampled_from([1, 2, 4]), st.booleans(), st.integers(0, 3))
def test_what_an_answer_leaves_out_never_moves_the_border(seed, factor, feeds_back_logits, spots):
    rng = np.random.default_rng(seed)
    array = -rng.uniform(0, 3, (6, 6, 6)).astype(np.float32)
    array[tuple(rng.integers(0, 6, (3, spots)))] = rng.uniform(0, 12, spots)
    answer = Prediction.of(array, 6 * factor, 0.5, feeds_back_logits)
    everything = refined(Prediction.of(array, 6 * factor, 0.5, feeds_back_logits=True).logits.array_kji, factor)
    assert np.array_equal(answer.logits_kji > 0, everything > 0)
    shape = (22, 23, 24)
    volume = Volume(np.zeros(shape, np.float32), np.diag([*rng.uniform(0.2, 0.4, 3), 1.0]))
    window = Window.around(volume, rng.uniform(2, 5, 3), 6 * factor, 1.0 / factor)
    pasted, whole = (window.paste(a, volume).to_array(shape) for a in (answer.logits_kji, everything))
    assert np.array_equal(pasted, whole)


def test_a_border_beyond_the_next_coarse_voxel_is_where_the_whole_has_it():
    # Of the fine voxels, the second is foreground (0.75 * 9 - 0.25 * 3 > 0) and lies between the coarse voxels 0 and 1;
    # its neighbour lies between 1 and 2, and says how steep the border is.
    line = np.full((3, 3, 3), -20.0, np.float32)
    line[1, 1] = 9.0, -3.0, -19.0
    answer = Prediction.of(line, 6, 0.5)
    assert np.array_equal(answer.logits_kji[2, 2, :4], refined(line, 2)[2, 2, :4])


def test_far_from_the_foreground_nothing_is_sent():
    array = np.full((12, 12, 12), -3.0, np.float32)
    array[5, 5, 5] = 2.0
    fine, coarse = Prediction.of(array, 12, 0.9), Prediction.of(array, 48, 0.9)
    assert (fine.logits.offset_kji, fine.logits.array_kji.shape) == ((4, 4, 4), (3, 3, 3))
    assert (coarse.logits.offset_kji, coarse.logits.array_kji.shape) == ((3, 3, 3), (5, 5, 5))
    assert fine.logits_kji[0, 0, 0] == FAR_LOGIT
    assert fine.previous_logits is None


def test_an_answer_without_foreground_is_far_everywhere():
    answer = Prediction.of(np.full((2, 2, 2), -1.0, np.float32), 4, 0.0)
    assert answer.logits.array_kji.size == 0
    assert answer.logits_kji.shape == (4, 4, 4)
    assert (answer.logits_kji == FAR_LOGIT).all()


def test_what_the_model_wants_to_see_again_is_kept_as_a_whole():
    array = voxels(3)
    answer = Prediction.of(array, 8, 0.5, feeds_back_logits=True)
    assert np.array_equal(answer.previous_logits, array.astype(np.float16))


@pytest.mark.parametrize("feeds_back_logits", [False, True])
def test_an_answer_that_is_no_number_is_refused(feeds_back_logits):
    array = voxels(4)
    array[2, 2, 2] = np.nan
    with pytest.raises(InputError, match="no answer for this window"):
        Prediction.of(array, 4, 0.5, feeds_back_logits)
