import numpy as np
import pytest

from SegAnyPETLib.reports.whole_body.projections import Mark, projections
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: The same scan with other axes: how its array is turned, and its matrix.
RIGHT, ANTERIOR, SUPERIOR = (2.0, 0, 0), (0, 3.0, 0), (0, 0, 5.0)


def scan(order: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> tuple[Volume, MaskPatch]:
    """Warm tissue of 7 x 6 x 5 voxels along R, A and S with a hot one at (5, 1, 3)."""
    array_ras = np.full((7, 6, 5), 0.5, np.float32)
    array_ras[5, 1, 3] = 6.0
    steps = np.array([RIGHT, ANTERIOR, SUPERIOR])
    origin = np.zeros(3)
    for axis, flip in enumerate(flips):
        if flip:
            array_ras = np.flip(array_ras, axis)
            origin += steps[axis] * (array_ras.shape[axis] - 1)
            steps[axis] *= -1
    array_kji = np.ascontiguousarray(array_ras.transpose(order))
    matrix = np.eye(4)
    matrix[:3, :3] = steps[list(order[::-1])].T
    matrix[:3, 3] = origin
    return Volume(array_kji, matrix, "SUVbw"), MaskPatch.cropped(array_kji > 5)


@pytest.mark.parametrize("order", [(2, 1, 0), (0, 1, 2), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(False, False, False), (True, False, True), (True, True, False)])
def test_a_region_is_outlined_where_it_is_hot_however_the_axes_run(order, flips):
    volume, region = scan(order, flips)
    coronal, sagittal = projections(volume, [Mark("1", region, "red")]).axes
    for panel, across_mm in ((coronal, 5 * 2.0), (sagittal, 1 * 3.0)):
        image = panel.images[0].get_array()
        left, right, bottom, top = panel.images[0].get_extent()
        row, column = np.argwhere(image == 6.0)[0]
        x = left + (column + 0.5) * (right - left) / image.shape[1]
        y = bottom + (row + 0.5) * (top - bottom) / image.shape[0]
        assert (x, y) == pytest.approx((across_mm, 3 * 5.0))
        (path,) = panel.collections[0].get_paths()
        assert path.vertices.mean(axis=0) == pytest.approx((x, y), abs=1.0)
        assert panel.get_xlim()[0] > panel.get_xlim()[1]  # right and anterior lie on the left


def test_an_outline_closes_at_the_border_of_the_scan():
    volume = Volume(np.ones((4, 4, 4), np.float32), np.eye(4), "SUVbw")
    whole = MaskPatch(np.ones((4, 4, 4), bool), (0, 0, 0))
    coronal, _ = projections(volume, [Mark("1", whole, "red")]).axes
    (path,) = coronal.collections[0].get_paths()
    assert np.ptp(path.vertices, axis=0) == pytest.approx((4, 4), abs=0.01)
