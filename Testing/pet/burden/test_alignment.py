import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.pet.burden.alignment import align
from SegAnyPETLib.volume.volume import Volume


def body() -> Volume:
    """An upright body of 60 x 25 x 35 voxels of 10 mm with organs that tell its sides apart."""
    array = np.zeros((60, 25, 35), np.float32)
    k, j, i = np.indices(array.shape)
    array[((j - 12) / 10) ** 2 + ((i - 17) / 14) ** 2 < 1] = 0.6
    array[45:][(((j - 12) / 6) ** 2 + ((i - 17) / 6) ** 2 >= 1)[45:]] = 0
    for center, radius, suv in (
        ((50, 12, 17), 5, 8.0),
        ((30, 10, 24), 5, 2.2),
        ((32, 14, 12), 3, 1.8),
        ((4, 12, 17), 3, 20),
    ):
        distance = np.sqrt(sum((n - c) ** 2 for n, c in zip((k, j, i), center, strict=True)))
        array[distance < radius] = suv
    return Volume(ndimage.gaussian_filter(array, 0.5), np.diag([10.0, 10.0, 10.0, 1.0]), "SUVbw")


def moved(
    volume: Volume, degrees: tuple[float, float, float], shift_mm: tuple[float, float, float]
) -> tuple[Volume, np.ndarray]:
    """The same voxels at another place, and the motion in RAS."""
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_euler("zyx", degrees, degrees=True).as_matrix()
    motion[:3, 3] = shift_mm
    return Volume(volume.array_kji, motion @ volume.ijk_to_ras, volume.units), motion


@pytest.mark.parametrize(("degrees", "shift_mm"), [((0, 0, 0), (0, 0, 0)), ((5, -3, 2), (30, -20, 45))])
def test_a_body_that_lies_elsewhere_is_found_within_millimetres(degrees, shift_mm):
    first = body()
    second, motion = moved(first, degrees, shift_mm)
    found = align(first, second)
    corners = first.point_ras(np.array(np.meshgrid(*[(0, n - 1) for n in first.shape_kji])).reshape(3, -1).T)
    expected = corners @ motion[:3, :3].T + motion[:3, 3]
    assert np.linalg.norm(found.points_ras(corners) - expected, axis=1).max() < 3
    assert found.overlap > 0.95


def test_a_scan_that_shows_less_of_the_body_is_aligned_too():
    first = body()
    matrix = first.ijk_to_ras.copy()
    matrix[:3, 3] = first.point_ras((8, 0, 0))
    second = Volume(first.array_kji[8:].copy(), matrix, "SUVbw")
    points = np.array([[170.0, 120.0, 300.0], [240.0, 100.0, 500.0]])
    found = align(first, second)
    assert np.linalg.norm(found.points_ras(points) - points, axis=1).max() < 5


def test_scans_of_nothing_cannot_be_aligned():
    nothing = Volume(np.zeros((5, 5, 5), np.float32), np.diag([10.0, 10.0, 10.0, 1.0]), "SUVbw")
    with pytest.raises(SegAnyPETError, match="cannot be aligned"):
        align(nothing, nothing)
