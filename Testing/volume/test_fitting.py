"""Labels that were saved in another order or cropped come back to the voxels of their image."""

import itertools

import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.fitting import fitted
from SegAnyPETLib.volume.volume import Volume
from Testing.volume.files import OBLIQUE

SHAPE = (4, 5, 6)
IMAGE = Volume(np.zeros(SHAPE, np.float32), OBLIQUE)
LABELS = IMAGE.with_array(np.arange(np.prod(SHAPE), dtype=np.int32).reshape(SHAPE))


def _reordered(volume: Volume, axes_kji, flips_kji) -> Volume:
    """The same voxels at the same places, their axes in another order and some of them running backwards."""
    array = volume.array_kji.transpose(axes_kji)[tuple(slice(None, None, -1 if flip else 1) for flip in flips_kji)]
    first = [array.shape[n] - 1 if flip else 0 for n, flip in enumerate(flips_kji)]
    steps = np.eye(3, dtype=int)

    def ras(index):
        """Where a voxel of the reordered array lies."""
        turned = [abs(f - i) for f, i in zip(first, index, strict=True)]
        old = np.zeros(3, int)
        old[list(axes_kji)] = turned
        return volume.point_ras(old)

    matrix = np.eye(4)
    origin = ras((0, 0, 0))
    for column, step in enumerate(steps[::-1]):
        matrix[:3, column] = ras(step) - origin
    matrix[:3, 3] = origin
    return Volume(np.ascontiguousarray(array), matrix)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product([False, True], repeat=3)))
def test_labels_in_any_order_are_turned_back(axes, flips):
    turned = fitted(_reordered(LABELS, axes, flips), IMAGE)
    assert np.array_equal(turned.array_kji, LABELS.array_kji)
    assert turned.same_grid(IMAGE)
    assert turned.array_kji.dtype == np.int32


def _crop(start_kji, stop_kji):
    part = LABELS.array_kji[tuple(slice(a, b) for a, b in zip(start_kji, stop_kji, strict=True))]
    matrix = OBLIQUE.copy()
    matrix[:3, 3] = IMAGE.point_ras(start_kji)
    return Volume(part, matrix)


def test_crop_is_set_into_zeros():
    whole = fitted(_crop((1, 2, 3), (3, 5, 5)), IMAGE).array_kji
    expected = np.zeros(SHAPE, np.int32)
    expected[1:3, 2:5, 3:5] = LABELS.array_kji[1:3, 2:5, 3:5]
    assert np.array_equal(whole, expected)


def test_turned_crop_is_set_into_zeros():
    crop = _crop((1, 2, 3), (3, 5, 5))
    turned = fitted(_reordered(crop, (2, 0, 1), (True, False, True)), IMAGE).array_kji
    assert np.array_equal(turned, fitted(crop, IMAGE).array_kji)


def test_zeros_beyond_the_image_are_cut_off_and_labels_there_are_refused():
    matrix = OBLIQUE.copy()
    matrix[:3, 3] = IMAGE.point_ras((-1, 0, -2))
    array = np.zeros((6, 5, 9), np.int32)
    array[1, 0, 2] = 7
    whole = fitted(Volume(array, matrix), IMAGE).array_kji
    assert whole[0, 0, 0] == 7
    assert np.count_nonzero(whole) == 1
    array[0, 0, 0] = 1
    with pytest.raises(InputError, match="reaches beyond the image"):
        fitted(Volume(array, matrix), IMAGE)


@pytest.mark.parametrize("change", [np.diag([2.0, 1, 1, 1]), np.diag([1, 1, 1.1, 1])])
def test_other_voxels_are_refused(change):
    with pytest.raises(InputError, match="the mask lies on another grid"):
        fitted(Volume(LABELS.array_kji, OBLIQUE @ change), IMAGE, "mask")


def test_labels_between_the_voxels_are_refused():
    shifted = OBLIQUE.copy()
    shifted[:3, 3] = IMAGE.point_ras((0.4, 0, 0))
    with pytest.raises(InputError, match="another grid"):
        fitted(Volume(LABELS.array_kji, shifted), IMAGE)


def test_labels_on_the_grid_are_the_same_object():
    assert fitted(LABELS, IMAGE) is LABELS
