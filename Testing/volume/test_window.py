import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window, canonical_directions

SPACING = st.floats(1.0, 6.0)


@st.composite
def volumes(draw, spacing=SPACING):
    """Oblique, permuted and flipped grids with random voxels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    directions = Rotation.random(random_state=rng).as_matrix() if draw(st.booleans()) else np.eye(3)
    directions = directions[:, rng.permutation(3)] * rng.choice([-1.0, 1.0], 3)
    matrix = np.eye(4)
    matrix[:3, :3] = directions * [draw(spacing) for _ in range(3)]
    matrix[:3, 3] = rng.uniform(-200, 200, 3)
    shape = tuple(rng.integers(3, 15, 3))
    return Volume(rng.uniform(0, 10, shape).astype(np.float32), matrix)


def to_itk(array, matrix):
    to_lps = np.diag([-1.0, -1.0, 1.0])
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin((to_lps @ matrix[:3, 3]).tolist())
    image.SetDirection((to_lps @ matrix[:3, :3] / spacing).ravel().tolist())
    return image


@settings(max_examples=60, deadline=None)
@given(volumes(), st.floats(1.0, 7.0), st.tuples(*[st.floats(-0.3, 1.3)] * 3))
def test_sampling_agrees_with_itk_on_any_grid(volume, spacing_mm, place):
    window = Window.around(volume, volume.point_ras(np.array(place) * volume.shape_kji), 12, spacing_mm)
    reference = to_itk(np.zeros((12, 12, 12), np.float32), window.ijk_to_ras)
    image = to_itk(volume.array_kji, volume.ijk_to_ras)
    resampled = sitk.GetArrayFromImage(sitk.Resample(image, reference, sitk.Transform(), sitk.sitkLinear, 0.0))
    sampled = window.sample(volume)
    # Positions that lie on the border itself may fall to either side in ITK's arithmetic.
    index = volume.index_kji(
        np.stack(np.meshgrid(*[np.arange(12)] * 3, indexing="ij"), -1)[..., ::-1] @ (window.ijk_to_ras[:3, :3].T)
        + window.ijk_to_ras[:3, 3]
    )
    on_border = (
        np.abs(np.abs(index - (np.array(volume.shape_kji) - 1) / 2) - np.array(volume.shape_kji) / 2) < 1e-4
    ).any(-1)
    assert np.abs(sampled - resampled)[~on_border].max(initial=0) < 1e-4 * 10


@settings(max_examples=60, deadline=None)
@given(volumes(spacing=st.just(3.0)))
def test_a_mask_goes_to_a_window_and_back_unchanged_at_equal_spacing(volume):
    mask = volume.with_array(volume.array_kji > 5)
    window = Window.around(volume, volume.point_ras(np.array(volume.shape_kji) / 2), 32, 3.0)
    patch = window.paste(window.sample(mask) - 0.5, volume)
    assert (patch.to_array(volume.shape_kji) == mask.array_kji).all()


@settings(max_examples=30, deadline=None)
@given(volumes(), st.floats(1.0, 6.0))
def test_a_point_lies_at_the_same_place_in_window_and_volume(volume, spacing_mm):
    window = Window.around(volume, volume.point_ras([1, 1, 1]), 16, spacing_mm)
    middle = window.index_kji(volume.point_ras([1, 1, 1]))
    assert middle == pytest.approx([8, 8, 8], abs=1e-6)
    assert window.center_ras == pytest.approx(volume.point_ras([1, 1, 1]))


@settings(max_examples=30, deadline=None)
@given(volumes())
def test_window_axes_point_right_anterior_and_superior(volume):
    directions = canonical_directions(volume.ijk_to_ras)
    assert np.linalg.det(directions) == pytest.approx(1.0)
    assert np.trace(directions) == pytest.approx(
        max(
            np.trace(directions[:, list(order)] * signs)
            for order in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
            for signs in np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T
        )
    )


def test_pasting_from_coarse_voxels_interpolates_between_them():
    volume = Volume(np.zeros((8, 8, 8), np.float32), np.eye(4))
    window = Window.around(volume, (4, 4, 4), 4, 2.0)
    logits = np.full((4, 4, 4), -1.0, np.float32)
    logits[2, 2, 2] = 1.0
    # The line from +1 to -1 over 2 mm crosses zero at 1 mm; only what is above zero is set.
    assert window.paste(logits, volume).to_array((8, 8, 8)).nonzero() == (np.array([4]), np.array([4]), np.array([4]))
    logits[2, 2, 2] = 3.0
    assert window.paste(logits, volume).to_array((8, 8, 8))[4, 4, 3:6].all()


def test_a_window_beside_the_volume_is_empty():
    volume = Volume(np.ones((3, 3, 3), np.float32), np.eye(4))
    window = Window.around(volume, (100, 0, 0), 8, 1.0)
    assert not window.sample(volume).any()
    assert window.paste(np.ones((8, 8, 8), np.float32), volume).voxels == 0


def test_logits_without_foreground_give_an_empty_mask():
    volume = Volume(np.ones((3, 3, 3), np.float32), np.eye(4))
    assert Window.around(volume, (1, 1, 1), 8, 1.0).paste(np.full((8, 8, 8), -1.0), volume).voxels == 0


def test_a_window_of_another_orientation_is_refused():
    volume = Volume(np.ones((3, 3, 3), np.float32), np.eye(4))
    turned = np.eye(4)
    turned[:3, :3] = Rotation.from_euler("z", 20, degrees=True).as_matrix()
    with pytest.raises(InputError, match="other axes"):
        Window.around(Volume(volume.array_kji, turned), (1, 1, 1), 8, 1.0).sample(volume)


def test_contains_leaves_a_margin():
    volume = Volume(np.ones((9, 9, 9), np.float32), np.eye(4))
    window = Window.around(volume, (4, 4, 4), 8, 1.0)
    assert window.contains((0, 4, 4))
    assert not window.contains((0, 4, 4), margin=1)
    assert not window.contains((-1, 4, 4))


def test_the_box_of_a_window_holds_the_voxels_whose_centres_it_covers():
    volume = Volume(np.zeros((10, 10, 10), np.float32), np.diag([-2.0, 2.0, 2.0, 1.0]))
    window = Window.around(volume, volume.point_ras((1, 5, 5)), 4, 2.0)
    # Window voxels -2 to 1 around the middle; the volume's i axis runs to the left.
    assert window.box_in(volume) == Box((0, 3, 4), (3, 7, 8))
