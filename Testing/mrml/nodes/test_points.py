import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.nodes.points import check_point, place_point, points_of
from SegAnyPETLib.mrml.nodes.volumes import VolumeCache
from SegAnyPETLib.prompts import Point

TURNED = np.array([[0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]], dtype=float)
SHIFTED = np.array([[1, 0, 0, 10], [0, 1, 0, 20], [0, 0, 1, 30], [0, 0, 0, 1]], dtype=float)


@pytest.fixture
def markups(scene):
    return scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")


def test_a_point_comes_from_its_frame_through_the_world_into_that_of_the_volume(make, markups) -> None:
    node = make.volume(np.zeros((4, 4, 4), np.float32), parent=make.transform(TURNED))
    markups.SetAndObserveTransformNodeID(make.transform(SHIFTED).GetID())
    markups.AddControlPoint(1, 2, 3)
    (point,) = points_of(markups, node).values()
    expected = np.linalg.inv(TURNED) @ SHIFTED @ [1, 2, 3, 1]
    assert point.ras == pytest.approx(tuple(expected[:3]))
    assert point.positive


def test_points_are_known_by_their_ids_also_after_one_is_removed(make, markups) -> None:
    node = make.volume(np.zeros((4, 4, 4), np.float32))
    for r in range(3):
        markups.AddControlPoint(r, 0, 0)
    ids = [markups.GetNthControlPointID(n) for n in range(3)]
    markups.RemoveNthControlPoint(1)
    points = points_of(markups, node, positive=False)
    assert points == {ids[0]: Point((0, 0, 0), False), ids[2]: Point((2, 0, 0), False)}


def test_a_point_that_is_not_yet_placed_does_not_count(make, markups) -> None:
    node = make.volume(np.zeros((4, 4, 4), np.float32))
    markups.AddControlPoint(1, 1, 1)
    markups.UnsetNthControlPointPosition(markups.AddControlPoint(2, 2, 2))
    assert list(points_of(markups, node).values()) == [Point((1, 1, 1))]


def test_a_placed_point_is_read_back(make, markups) -> None:
    node = make.volume(np.zeros((4, 4, 4), np.float32), parent=make.transform(TURNED))
    markups.SetAndObserveTransformNodeID(make.transform(SHIFTED).GetID())
    point_id = place_point(markups, node, Point((1, 2, 3)), "L1")
    assert points_of(markups, node)[point_id].ras == pytest.approx((1, 2, 3))
    assert markups.GetNthControlPointLabel(0) == "L1"
    world = [0.0, 0.0, 0.0]
    markups.GetNthControlPointPositionWorld(0, world)
    assert world == pytest.approx((TURNED @ [1, 2, 3, 1])[:3].tolist())


def test_a_point_outside_the_image_or_without_a_value_is_refused(make) -> None:
    array = np.zeros((4, 4, 4), np.float32)
    array[1, 2, 3] = np.nan
    volume = VolumeCache().volume_of(make.volume(array))
    check_point(Point((2, 2, 1)), volume)
    check_point(Point((-0.49, 3.49, 0)), volume)
    with pytest.raises(InputError, match="no value"):
        check_point(Point((3, 2, 1)), volume)
    with pytest.raises(InputError, match="outside"):
        check_point(Point((0, 3.51, 0)), volume)
