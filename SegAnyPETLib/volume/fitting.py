"""Labels of an image that were saved turned, mirrored or cropped: the same voxels in another order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.volume import Volume

#: How far, in voxels, the grids of labels and image may lie apart through rounding.
PLACE_TOLERANCE = 0.1


def fitted(labels: Volume, image: Volume, what: str = "label map") -> Volume:
    """Bring labels to the grid of their image: axes swapped or flipped back, a crop set into zeros.

    Args:
        labels: integers or bool, on voxels of the image's grid.
        image: the image.
        what: what the labels are, for messages.

    Returns:
        Labels on the image's grid; the same object if they lie on it already.

    Raises:
        InputError: the labels lie between the voxels of the image, or reach beyond it.
    """
    if labels.same_grid(image):
        return labels
    to_image = image.ras_to_ijk @ labels.ijk_to_ras
    turn = np.rint(to_image[:3, :3])
    if not (np.abs(turn).sum(axis=0) == 1).all() or not (np.abs(turn).sum(axis=1) == 1).all():
        raise _another_grid(what)
    sizes_ijk = np.array(labels.shape_kji[::-1])
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in sizes_ijk])).reshape(3, -1)
    exact = to_image[:3, :3] @ corners + to_image[:3, 3:]
    start = np.rint(turn @ corners + np.rint(to_image[:3, 3:])).astype(int)
    if np.abs(exact - start).max() > PLACE_TOLERANCE:
        raise _another_grid(what)
    return image.with_array(_placed(_turned(labels.array_kji, turn), start.min(axis=1)[::-1], image, what))


def _turned(array_kji: NDArray, turn_ijk: NDArray) -> NDArray:
    """Reorder axes so that they run as those of the image; row n of the matrix says which axis becomes n."""
    array_ijk = array_kji.transpose(2, 1, 0)
    axes = np.abs(turn_ijk).argmax(axis=1)
    signs = turn_ijk[np.arange(3), axes]
    turned = array_ijk.transpose(axes)[tuple(slice(None, None, int(sign)) for sign in signs)]
    return turned.transpose(2, 1, 0)


def _placed(part_kji: NDArray, start_kji: NDArray, image: Volume, what: str) -> NDArray:
    """Set an array into zeros of the image's shape, which may cut off zeros."""
    shape = np.array(image.shape_kji)
    first = np.clip(-start_kji, 0, part_kji.shape)
    last = np.clip(shape - start_kji, first, part_kji.shape)
    inside = part_kji[tuple(slice(a, b) for a, b in zip(first, last, strict=True))]
    if np.count_nonzero(inside) < np.count_nonzero(part_kji):
        raise InputError(f"the {what} reaches beyond the image; give the {what} of this image")
    whole = np.zeros(image.shape_kji, part_kji.dtype)
    begin = np.clip(start_kji, 0, shape)
    whole[tuple(slice(a, a + n) for a, n in zip(begin, inside.shape, strict=True))] = inside
    return whole


def _another_grid(what: str) -> InputError:
    return InputError(f"the {what} lies on another grid than the image; resample it to the image's grid")
