import numpy as np
import pytest

from SegAnyPETLib.pet.proposals.frame import body_frame
from SegAnyPETLib.volume.volume import Volume


def body(head_slices: int, flip: bool = False) -> Volume:
    """A trunk of 300 x 200 mm and 600 mm high, with a head of 150 x 150 mm above; voxels of 10 mm."""
    array = np.zeros((60 + head_slices + 3, 24, 40), np.float32)
    array[:60, 2:22, 5:35] = 1
    array[60 : 60 + head_slices, 4:19, 12:27] = 1
    matrix = np.diag([10.0, 10.0, 10.0, 1.0])
    matrix[:3, 3] = 100, -50, -700
    if not head_slices:
        array = array[:60]
    if flip:  # the same body with slices from the head down
        array = array[::-1]
        matrix[2, 2] = -10.0
        matrix[2, 3] = -700 + 10 * (len(array) - 1)
    return Volume(np.ascontiguousarray(array), matrix)


@pytest.mark.parametrize("flip", [False, True])
def test_shoulders_are_where_the_trunk_begins_and_the_midline_is_its_middle(flip: bool):
    frame = body_frame(body(25, flip))
    assert frame.shoulders_s == pytest.approx(-105, abs=10)
    assert frame.midline_r == pytest.approx(100 + 195, abs=5)
    assert frame.middle_a == pytest.approx(-50 + 115, abs=5)


def test_places_are_to_the_patients_left_in_front_and_above():
    frame = body_frame(body(25))
    place = frame.place((frame.midline_r - 30, frame.middle_a + 20, frame.shoulders_s + 10))
    assert (place.left_mm, place.anterior_mm, place.above_shoulders_mm) == pytest.approx((30, 20, 10))


def test_a_scan_that_begins_below_the_shoulders_has_no_height():
    frame = body_frame(body(0))
    assert frame.shoulders_s is None
    assert frame.place((0.0, 0.0, 0.0)).above_shoulders_mm is None


def test_a_scan_without_a_body_has_its_middle():
    frame = body_frame(Volume(np.zeros((3, 5, 7), np.float32), np.diag([2.0, 2.0, 2.0, 1.0])))
    assert (frame.shoulders_s, frame.midline_r, frame.middle_a) == (None, 6.0, 4.0)
